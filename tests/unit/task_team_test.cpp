// Work in parts: each part once, whatever the number of threads, and what a part throws.

#include "host/app/task_team.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <stdexcept>
#include <vector>

namespace penstock::app {
namespace {

TEST(TaskTeam, EachPartIsDoneOnceBeforeRunReturns) {
  for (unsigned const threads : {1u, 2u, 7u}) {
    TaskTeam team(threads);
    for (int repeat = 0; repeat < 200; ++repeat) {
      for (std::size_t const parts : {0u, 1u, 2u, 50u}) {
        std::vector<int> calls(parts);
        team.run(parts, [&](std::size_t part) { ++calls[part]; });
        ASSERT_EQ(calls, std::vector<int>(parts, 1));
      }
    }
  }
}

TEST(TaskTeam, WhatAPartThrowsReachesTheCaller) {
  for (unsigned const threads : {1u, 4u}) {
    TaskTeam team(threads);
    auto const fail = [](std::size_t part) {
      if (part == 3) throw std::runtime_error("three");
    };
    EXPECT_THROW(team.run(10, fail), std::runtime_error);
    int calls = 0;
    team.run(1, [&](std::size_t) { ++calls; });
    EXPECT_EQ(calls, 1);
    EXPECT_NO_THROW(team.run(3, fail));
  }
}

}  // namespace
}  // namespace penstock::app
