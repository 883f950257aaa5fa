# PENSTOCK_REVISION for the sources of host/app/: what git says at configure time, or nothing.
find_package(Git QUIET)
if(Git_FOUND AND EXISTS ${PROJECT_SOURCE_DIR}/.git)
  execute_process(COMMAND ${GIT_EXECUTABLE} describe --always --dirty
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(revision)
    file(GLOB app_sources CONFIGURE_DEPENDS host/app/*.cpp)
    set_source_files_properties(${app_sources} PROPERTIES COMPILE_DEFINITIONS "PENSTOCK_REVISION=\"${revision}\"")
  endif()
endif()
