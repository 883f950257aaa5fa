# Compiler flags, in one place. The same text gives the same bits in every translation unit of every engine, so a
# product and a sum are never fused unless the source says fma (docs/STYLE.md). Nothing here depends on the building
# machine's processor: sources named *avx2*.cpp say in themselves what is compiled for more than the baseline.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

# -O2 and not CMake's -O3: small, and free of the false alarms that g++ 12 raises at -O3. The hot passes are the exception (host/exec).
string(REPLACE -O3 -O2 CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

# Whoever compiles our headers needs these, so they travel with penstock_formats.
add_library(penstock_arithmetic INTERFACE)
set_property(TARGET penstock_arithmetic PROPERTY EXPORT_NAME arithmetic)
target_compile_options(penstock_arithmetic INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>
  "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:--fmad=false -Xcompiler=-ffp-contract=off>")

# Our own sources only: a user's compiler warns about what the user chose.
set(warning_flags -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
# g++ 12 sees overlaps and overruns in std::string's operator+ that are none (GCC bugs 105329 and 105651); clang and the
# address sanitizer look for the real ones.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  list(APPEND warning_flags -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
endif()
if(PENSTOCK_WERROR)
  list(APPEND warning_flags -Werror)
endif()
add_library(penstock_warnings INTERFACE)
target_compile_options(penstock_warnings INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${warning_flags}>")

# Sanitizers stop at the first report, so that a test cannot pass over it. -O1 keeps stacks readable and tests quick.
if(PENSTOCK_SANITIZE)
  set(sanitizer_flags -fsanitize=${PENSTOCK_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g1)
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:${sanitizer_flags}>" $<$<COMPILE_LANGUAGE:CXX>:-D_GLIBCXX_ASSERTIONS>)
  add_link_options(-fsanitize=${PENSTOCK_SANITIZE})
endif()
