# PENSTOCK_REVISION for the one source that prints it: what git says at configure time, or nothing.
find_package(Git QUIET)
if(Git_FOUND AND EXISTS ${PROJECT_SOURCE_DIR}/.git)
  execute_process(COMMAND ${GIT_EXECUTABLE} describe --always --dirty
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(revision)
    set_source_files_properties(host/app/cli_help.cpp PROPERTIES COMPILE_DEFINITIONS "PENSTOCK_REVISION=\"${revision}\"")
  endif()
endif()
