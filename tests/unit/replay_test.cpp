#include "host/app/replay.hpp"

#include "host/io/source.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>

#include <sys/stat.h>

namespace {

using penstock::expand_inputs;
using penstock::open_source;
using penstock::Source;
using penstock::app::Replay;
using penstock::testing::ScratchFolder;

std::string read_up_to(Source& source, std::size_t wanted) {
  std::string bytes(wanted, '\0');
  std::size_t size = 0;
  while (size < wanted) {
    std::size_t const got = source.read(bytes.data() + size, wanted - size);
    if (got == 0) break;
    size += got;
  }
  bytes.resize(size);
  return bytes;
}

TEST(Replay, GivesWhatWasReadOfAFifoAgain) {
  ScratchFolder const folder;
  std::string const path = folder.at("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::string const text = std::string(100000, 'a') + "end";
  std::thread writer([&] { std::ofstream(path) << text; });
  Replay replay(expand_inputs({path}));
  EXPECT_EQ(read_up_to(*open_source(replay.files()[0]), 10), text.substr(0, 10));
  EXPECT_EQ(read_up_to(*open_source(replay.files()[0]), 70000), text.substr(0, 70000));
  auto const last = open_source(replay.files()[0]);
  EXPECT_EQ(last->name(), path);
  EXPECT_EQ(read_up_to(*last, 5), "aaaaa");
  replay.settle();
  EXPECT_EQ(read_up_to(*last, text.size()), text.substr(5));
  EXPECT_EQ(read_up_to(*last, 1), "");
  writer.join();
}

TEST(Replay, LeavesFilesAlone) {
  ScratchFolder const folder;
  Replay const replay(expand_inputs({folder.put("a", "text")}));
  EXPECT_FALSE(replay.files()[0].open);
  EXPECT_EQ(read_up_to(*open_source(replay.files()[0]), 10), "text");
}

}  // namespace
