# Finds the CUDA compiler if it is wanted and there is something for it to do; PENSTOCK_HAS_CUDA tells. Read from the top
# level, since every program that links the engine needs the language.
file(GLOB_RECURSE cuda_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cuda/*.cu)
set(PENSTOCK_HAS_CUDA OFF)
if(PENSTOCK_CUDA STREQUAL "ON")
  set(PENSTOCK_HAS_CUDA ON)
elseif(PENSTOCK_CUDA STREQUAL "AUTO" AND cuda_sources AND NOT PENSTOCK_SANITIZE)
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    set(PENSTOCK_HAS_CUDA ON)
  endif()
endif()

if(PENSTOCK_HAS_CUDA)
  # T4, A100 and H100/H200 as machine code, and PTX for what comes after. Never `native`: it fails where there is no GPU.
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES "75-real;80-real;90")
  endif()
  set(CMAKE_CUDA_RUNTIME_LIBRARY Static) # never the driver's library: a program linked to it does not start without one
  enable_language(CUDA)
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION) # CMake 3.25 does not know yet that nvcc speaks C++20 since 12.0
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  endif()
  set(CMAKE_CUDA_STANDARD 20) # after enable_language, whose own test programs could not have it
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  set(CMAKE_CUDA_EXTENSIONS OFF)
  find_package(CUDAToolkit REQUIRED)
  find_path(PENSTOCK_NVTX_DIR nvtx3/nvToolsExt.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
  mark_as_advanced(PENSTOCK_NVTX_DIR)
  # The formats' constexpr functions and std::span run on the device too.
  add_compile_options($<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr>)
  # -Wpedantic and -Wconversion complain about what nvcc itself writes for the host compiler.
  add_library(penstock_cuda_warnings INTERFACE)
  set(cuda_warning_flags -Xcompiler=-Wall,-Wextra,-Wshadow)
  if(PENSTOCK_WERROR)
    list(APPEND cuda_warning_flags -Xcompiler=-Werror --Werror=all-warnings)
  endif()
  target_compile_options(penstock_cuda_warnings INTERFACE "$<$<COMPILE_LANGUAGE:CUDA>:${cuda_warning_flags}>")
  message(STATUS "CUDA engine: ${CMAKE_CUDA_COMPILER}, architectures ${CMAKE_CUDA_ARCHITECTURES}")
else()
  message(STATUS "CUDA engine: off")
endif()
