# Fuzzing (docs/TESTING.md). Included once before any target, for the flag that clang's libFuzzer asks of everything.
option(PENSTOCK_FUZZ "build fuzz_libfuzzer, with clang only; sanitizers are PENSTOCK_SANITIZE's" OFF)
if(PENSTOCK_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "PENSTOCK_FUZZ needs clang, not ${CMAKE_CXX_COMPILER_ID}; scripts/fuzz does with what is there")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# penstock_add_fuzzing(): the targets as a library, short runs of them as tests, the plain driver fuzz_replay, and
# fuzz_libfuzzer where it is wanted.
function(penstock_add_fuzzing)
  set(root_definition PENSTOCK_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_library(fuzz_targets STATIC fuzz/targets.cpp fuzz/array_targets.cpp fuzz/driver.cpp)
  target_link_libraries(fuzz_targets PUBLIC penstock_host penstock_warnings)
  add_executable(fuzz_replay EXCLUDE_FROM_ALL fuzz/replay.cpp)
  target_link_libraries(fuzz_replay PRIVATE fuzz_targets)
  target_compile_definitions(fuzz_replay PRIVATE ${root_definition})
  if(PENSTOCK_FUZZ)
    add_executable(fuzz_libfuzzer EXCLUDE_FROM_ALL fuzz/libfuzzer.cpp)
    target_link_libraries(fuzz_libfuzzer PRIVATE fuzz_targets)
    target_link_options(fuzz_libfuzzer PRIVATE -fsanitize=fuzzer)
  endif()

  add_executable(fuzz_tests fuzz/fuzz_test.cpp)
  target_link_libraries(fuzz_tests PRIVATE fuzz_targets GTest::gtest_main)
  target_compile_definitions(fuzz_tests PRIVATE ${root_definition})
  gtest_discover_tests(fuzz_tests DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES LABELS fuzz TIMEOUT 300)
endfunction()
