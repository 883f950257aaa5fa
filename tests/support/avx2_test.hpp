/// Tests of code that is compiled for AVX2.
#pragma once

#include <gtest/gtest.h>

namespace penstock::testing {

#if defined(__x86_64__)
/// Skips on processors that cannot run such code: what they run instead, plain C++, has tests of its own.
class Avx2Test : public ::testing::Test {
 protected:
  void SetUp() override {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2"))
      GTEST_SKIP() << "this processor has no AVX2, BMI or BMI2";
  }
};
#endif

}  // namespace penstock::testing
