# cmake -DBUILD=build/release -DWORK=folder -DSOURCES=folder -DPYTHON=program -P run.cmake: installs BUILD to a prefix of
# its own in WORK, then builds and runs programs against it, those of docs/library.md too, with nothing of the source tree
# on their include path. Then a project that takes the source tree in.
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK}/run)
set(consumer ${CMAKE_CURRENT_LIST_DIR})
foreach(command IN ITEMS
    "${CMAKE_COMMAND};--install;${BUILD};--prefix;${WORK}/prefix;--component;penstock"
    "${WORK}/prefix/bin/penstock;--version"
    "${PYTHON};-B;${consumer}/page_programs.py;${SOURCES}/docs/library.md;${WORK}/programs"
    "${CMAKE_COMMAND};-S;${consumer};-B;${WORK}/build;-DCMAKE_PREFIX_PATH=${WORK}/prefix;-DPROGRAMS=${WORK}/programs"
    "${CMAKE_COMMAND};--build;${WORK}/build"
    "${WORK}/build/formats_consumer"
    "${WORK}/build/library_consumer")
  execute_process(COMMAND ${command} WORKING_DIRECTORY ${WORK}/run COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# Each program runs in a folder of its own, in which it finds what it needs or writes it.
file(GLOB programs ${WORK}/programs/*.cpp ${WORK}/programs/*.c)
foreach(source IN LISTS programs)
  cmake_path(GET source STEM name)
  file(MAKE_DIRECTORY ${WORK}/run/${name})
  execute_process(COMMAND ${WORK}/build/${name} WORKING_DIRECTORY ${WORK}/run/${name} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

foreach(command IN ITEMS
    "${CMAKE_COMMAND};-S;${consumer}/subdirectory;-B;${WORK}/fetched;-DSOURCES=${SOURCES};-DPENSTOCK_CUDA=OFF;-DFETCHES=ON"
    "${CMAKE_COMMAND};-S;${consumer}/subdirectory;-B;${WORK}/subdirectory;-DSOURCES=${SOURCES};-DPENSTOCK_CUDA=OFF"
    "${CMAKE_COMMAND};--build;${WORK}/subdirectory;--target;probe")
  execute_process(COMMAND ${command} WORKING_DIRECTORY ${WORK}/run COMMAND_ERROR_IS_FATAL ANY)
endforeach()
