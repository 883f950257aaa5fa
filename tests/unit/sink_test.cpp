#include "host/io/sink.hpp"

#include "penstock/error.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

using penstock::ClosedPipeError;
using penstock::open_sink;
using penstock::remove_committed;
using penstock::SeekableSink;
using penstock::Sink;
using penstock::SinkError;
using penstock::Spool;
using penstock::testing::ScratchFolder;

std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string complaint_of(auto&& action) {
  try {
    action();
  } catch (SinkError const& error) {
    EXPECT_EQ(error.exit_code(), penstock::ExitCode::sink);
    return std::string(error.what()) + '|' + error.hint();
  }
  ADD_FAILURE() << "nothing was wrong";
  return {};
}

std::string complaint_about(std::string const& path, bool overwrite = false) {
  return complaint_of([&] { (void)open_sink(path, {overwrite}); });
}

/// Writes to closed pipes give EPIPE while it lives.
class NoBrokenPipeSignal {
 public:
  NoBrokenPipeSignal() : before_(std::signal(SIGPIPE, SIG_IGN)) {}
  ~NoBrokenPipeSignal() { std::signal(SIGPIPE, before_); }
  NoBrokenPipeSignal(NoBrokenPipeSignal const&) = delete;
  NoBrokenPipeSignal& operator=(NoBrokenPipeSignal const&) = delete;

 private:
  void (*before_)(int);
};

TEST(FileSink, AppearsAtCommitAsAWhole) {
  ScratchFolder const folder;
  std::unique_ptr<Sink> const sink = open_sink(folder.at("a.rec"), {});
  sink->write(bytes_of("one"));
  sink->write({});
  sink->write(bytes_of(",two"));
  EXPECT_FALSE(std::filesystem::exists(folder.at("a.rec")));
  ASSERT_EQ(folder.count(), 1u);
  std::string const partial = std::filesystem::directory_iterator(folder.path())->path().filename();
  EXPECT_TRUE(partial.starts_with(".a.rec.") && partial.ends_with(".partial")) << partial;
  EXPECT_EQ(partial.size(), std::string(".a.rec.XXXXXX.partial").size());
  sink->commit();
  EXPECT_EQ(folder.get("a.rec"), "one,two");
  EXPECT_EQ(folder.count(), 1u);
  EXPECT_THROW(sink->write(bytes_of("x")), SinkError);
  EXPECT_THROW(sink->commit(), SinkError);
}

TEST(FileSink, LeavesNothingWithoutCommit) {
  ScratchFolder const folder;
  open_sink(folder.at("a"), {})->write(bytes_of("lost"));
  EXPECT_EQ(folder.count(), 0u);
}

TEST(FileSink, CommitsNothingAsAnEmptyFile) {
  ScratchFolder const folder;
  open_sink(folder.at("a"), {})->commit();
  EXPECT_TRUE(std::filesystem::exists(folder.at("a")));
  EXPECT_EQ(folder.get("a"), "");
}

TEST(FileSink, WritesAHeaderLast) {
  ScratchFolder const folder;
  std::unique_ptr<Sink> const sink = open_sink(folder.at("a"), {});
  auto* const seekable = dynamic_cast<SeekableSink*>(sink.get());
  ASSERT_NE(seekable, nullptr);
  sink->write(bytes_of("????rows"));
  seekable->write_at(0, bytes_of("head"));
  sink->write(bytes_of(" more"));
  seekable->write_at(15, bytes_of("!"));
  sink->commit();
  EXPECT_EQ(folder.get("a"), std::string("headrows more\0\0!", 16));
}

TEST(FileSink, KeepsWhatExistsUnlessForced) {
  ScratchFolder const folder;
  folder.put("a", "old");
  EXPECT_EQ(complaint_about(folder.at("a")), folder.at("a") + ": exists already|Replace it with --force.");
  std::unique_ptr<Sink> const sink = open_sink(folder.at("a"), {.overwrite = true});
  sink->write(bytes_of("new"));
  EXPECT_EQ(folder.get("a"), "old");
  sink->commit();
  EXPECT_EQ(folder.get("a"), "new");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(FileSink, DoesNotClobberWhatWasCreatedMeanwhile) {
  ScratchFolder const folder;
  std::unique_ptr<Sink> const sink = open_sink(folder.at("a"), {});
  sink->write(bytes_of("mine"));
  folder.put("a", "theirs");
  EXPECT_NE(complaint_of([&] { sink->commit(); }).find("created it meanwhile"), std::string::npos);
  EXPECT_EQ(folder.get("a"), "theirs");
  EXPECT_EQ(folder.count(), 1u) << "the partial file is gone";
}

TEST(FileSink, TheUmaskDecidesTheMode) {
  ScratchFolder const folder;
  mode_t const before = ::umask(027);
  open_sink(folder.at("a"), {})->commit();
  ::umask(before);
  struct stat status {};
  ASSERT_EQ(::stat(folder.at("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST(FileSink, AReplacedFileLeavesItsMode) {
  ScratchFolder const folder;
  for (mode_t const mode : {0600u, 0666u}) {
    ::chmod(folder.put("a", "old").c_str(), mode);
    open_sink(folder.at("a"), {.overwrite = true})->commit();
    struct stat status {};
    ASSERT_EQ(::stat(folder.at("a").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, mode);
  }
}

TEST(FileSink, FollowsALinkToAFile) {
  ScratchFolder const folder;
  folder.put("d/real", "old");
  std::filesystem::create_symlink("d/real", folder.at("link"));
  EXPECT_NE(complaint_about(folder.at("link")).find("exists already"), std::string::npos);
  std::unique_ptr<Sink> const sink = open_sink(folder.at("link"), {.overwrite = true});
  sink->write(bytes_of("new"));
  sink->commit();
  EXPECT_TRUE(std::filesystem::is_symlink(folder.at("link")));
  EXPECT_EQ(folder.get("d/real"), "new");
  std::filesystem::create_symlink("nowhere", folder.at("dangling"));
  EXPECT_NE(complaint_about(folder.at("dangling")).find("exists already"), std::string::npos);
  open_sink(folder.at("dangling"), {.overwrite = true})->commit();
  EXPECT_TRUE(std::filesystem::is_regular_file(folder.at("dangling")));
}

TEST(FileSink, TakesTheLongestNames) {
  ScratchFolder const folder;
  std::string const name(255, 'n');
  open_sink(folder.at(name), {})->commit();
  EXPECT_TRUE(std::filesystem::exists(folder.at(name)));
  EXPECT_NE(complaint_about(folder.at(name + 'n')).find("File name too long"), std::string::npos);
}

TEST(FileSink, SaysWhyItCannotBeOpened) {
  ScratchFolder const folder;
  folder.put("file", "1");
  std::filesystem::create_directory(folder.at("d"));
  for (bool const overwrite : {false, true}) {
    EXPECT_NE(complaint_about(folder.at("d"), overwrite).find("d: is a folder, not a file"), std::string::npos);
    EXPECT_NE(complaint_about(folder.at("d/"), overwrite).find("is a folder, not a file"), std::string::npos);
    EXPECT_EQ(complaint_about(folder.at("e/a"), overwrite),
              folder.at("e/a") + ": there is no folder " + folder.at("e/") + "|Create it: mkdir -p " + folder.at("e/"));
    EXPECT_NE(complaint_about(folder.at("file/a"), overwrite).find("Not a directory"), std::string::npos);
    EXPECT_NE(complaint_about("", overwrite).find("empty"), std::string::npos);
  }
  EXPECT_EQ(folder.count(), 2u);
}

TEST(FileSink, NeedsTheRightToWriteToTheFolder) {
  ScratchFolder const folder;
  ::chmod(folder.path().c_str(), 0555);
  uid_t const user = ::geteuid();
  if (user == 0 && ::seteuid(65534) != 0) GTEST_SKIP() << "the test cannot give up the rights of root";
  std::string const complaint = complaint_about(folder.at("a"));
  if (user == 0) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ::chmod(folder.path().c_str(), 0755);
  EXPECT_EQ(complaint, folder.at("a") + ": cannot be created: Permission denied|");
}

/// A limit on file sizes is as good as a full disk. It belongs to the process, so this runs in its own.
[[noreturn]] void fill_up(ScratchFolder const& folder) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit const limit{5000, 5000};
  if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) std::_Exit(1);
  std::string const block(3000, 'x');
  std::unique_ptr<Sink> const sink = open_sink(folder.at("a"), {});
  sink->write(bytes_of(block));
  std::string const complaint = complaint_of([&] { sink->write(bytes_of(block)); });
  if (complaint.find("after 5000 bytes had been written; the partial file was removed") == std::string::npos) {
    std::_Exit(2);
  }
  if (complaint.find("File too large") == std::string::npos) std::_Exit(3);
  if (folder.count() != 0) std::_Exit(4);
  (void)complaint_of([&] { sink->commit(); });
  std::_Exit(folder.count() == 0 ? 0 : 5);
}

TEST(FileSinkDeathTest, AFullDiskLeavesNothing) {
  ScratchFolder const folder;
  EXPECT_EXIT(fill_up(folder), ::testing::ExitedWithCode(0), "");
}

TEST(FileSink, CommittedFilesCanBeTakenBack) {
  ScratchFolder const folder;
  open_sink(folder.at("a"), {})->commit();
  EXPECT_TRUE(remove_committed(folder.at("a")));
  EXPECT_EQ(folder.count(), 0u);
  EXPECT_TRUE(remove_committed(folder.at("a"))) << "gone is gone";
  EXPECT_TRUE(remove_committed("-"));
  EXPECT_TRUE(remove_committed("/dev/null"));
  EXPECT_TRUE(std::filesystem::exists("/dev/null"));
  ASSERT_EQ(::mkfifo(folder.at("fifo").c_str(), 0600), 0);
  EXPECT_TRUE(remove_committed(folder.at("fifo")));
  EXPECT_EQ(folder.count(), 1u);
}

TEST(DirectSink, DevicesAreWrittenDirectly) {
  std::unique_ptr<Sink> const null = open_sink("/dev/null", {});
  EXPECT_EQ(dynamic_cast<SeekableSink*>(null.get()), nullptr);
  null->write(bytes_of("gone"));
  null->commit();
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  std::unique_ptr<Sink> const full = open_sink("/dev/full", {.overwrite = true});
  std::string const complaint = complaint_of([&] { full->write(bytes_of("x")); });
  EXPECT_EQ(complaint.substr(0, complaint.find('|')),
            "/dev/full: cannot be written: No space left on device after 0 bytes had been written");
}

TEST(DirectSink, FifosWaitForTheirReader) {
  ScratchFolder const folder;
  std::string const path = folder.at("fifo");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::string const text(300'000, 'x');  // more than a pipe holds
  std::string received;
  std::thread reader([&] {
    std::ifstream fifo(path, std::ios::binary);
    received.assign(std::istreambuf_iterator<char>(fifo), {});
  });
  std::unique_ptr<Sink> sink = open_sink(path, {});
  sink->write(bytes_of(text));
  sink->commit();
  sink.reset();
  reader.join();
  EXPECT_TRUE(received == text);
  EXPECT_TRUE(std::filesystem::is_fifo(path)) << "never renamed over";
}

TEST(DirectSink, AClosedPipeIsAnErrorOfItsOwn) {
  NoBrokenPipeSignal const ignored;
  ScratchFolder const folder;
  std::string const path = folder.at("fifo");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  int const reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  std::unique_ptr<Sink> const sink = open_sink(path, {});
  sink->write(bytes_of("four"));
  ::close(reader);
  try {
    sink->write(bytes_of("more"));
    FAIL();
  } catch (ClosedPipeError const& error) {
    EXPECT_EQ(std::string(error.what()), path + ": cannot be written: Broken pipe after 4 bytes had been written");
  }
}

TEST(DirectSink, StandardOutput) {
  NoBrokenPipeSignal const ignored;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  std::fflush(stdout);
  int const saved = ::dup(STDOUT_FILENO);
  ::dup2(ends[1], STDOUT_FILENO);
  ::close(ends[1]);
  std::unique_ptr<Sink> sink = open_sink("-", {});
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  sink->write(bytes_of("data"));
  sink->commit();
  std::array<char, 8> buffer{};
  EXPECT_EQ(::read(ends[0], buffer.data(), buffer.size()), 4);
  EXPECT_EQ(std::string(buffer.data()), "data");
  ::close(ends[0]);
  EXPECT_THROW(sink->write(bytes_of("x")), ClosedPipeError);
}

TEST(DirectSink, Sockets) {
  ScratchFolder const folder;
  int const listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  folder.at("s").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_NE(complaint_about(folder.at("s")).find("Connection refused"), std::string::npos) << "nobody listens yet";
  ASSERT_EQ(::listen(listener, 1), 0);
  std::unique_ptr<Sink> const sink = open_sink(folder.at("s"), {});
  sink->write(bytes_of("data"));
  int const peer = ::accept(listener, nullptr, nullptr);
  std::array<char, 8> buffer{};
  EXPECT_EQ(::read(peer, buffer.data(), buffer.size()), 4);
  EXPECT_EQ(std::string(buffer.data()), "data");
  ::close(peer);
  ::close(listener);
}

std::string copied(Spool& spool, ScratchFolder const& folder) {
  std::unique_ptr<Sink> const sink = open_sink(folder.at("copy"), {.overwrite = true});
  spool.copy_to(*sink);
  sink->commit();
  std::string content = folder.get("copy");
  std::filesystem::remove(folder.at("copy"));
  return content;
}

TEST(Spool, GivesBackWhatItTook) {
  ScratchFolder const folder;
  Spool spool(folder.at("out.npz"));
  EXPECT_EQ(copied(spool, folder), "");
  std::string expected;
  // Pieces around the size of the buffer, so that its border falls everywhere.
  for (std::size_t const size : {1u, 1000u, (1u << 20) - 1001, 1u, 1u << 20, 0u, (1u << 20) + 1, 3u << 20, 5u}) {
    std::string piece(size, '\0');
    for (std::size_t i = 0; i < size; ++i) piece[i] = static_cast<char>((i * 31 + expected.size()) >> 3);
    spool.write(bytes_of(piece));
    expected += piece;
    EXPECT_EQ(spool.size_bytes(), expected.size());
  }
  EXPECT_EQ(folder.count(), 0u) << "the file has no name";
  EXPECT_TRUE(copied(spool, folder) == expected);
  spool.write(bytes_of("more"));
  Spool moved = std::move(spool);
  EXPECT_TRUE(copied(moved, folder) == expected + "more") << "copying leaves the spool as it was";
}

TEST(Sink, NamesOfDescriptorsAreTheDescriptors) {
  for (auto const& [path, number] : {std::pair<std::string_view, int>{"/dev/stdout", 1},
                                     {"/dev/stderr", 2},
                                     {"/dev/fd/0", 0},
                                     {"/dev/fd/17", 17},
                                     {"/proc/self/fd/3", 3}}) {
    EXPECT_EQ(penstock::descriptor_named(path), number) << path;
  }
  for (std::string_view path : {"-", "", "/dev/stdin", "/dev/fd/", "/dev/fd/1x", "/dev/fd/-1", "/dev/fd/99999999999",
                                "dev/stdout", "/dev/stdout/", "/proc/self/fd"}) {
    EXPECT_FALSE(penstock::descriptor_named(path)) << path;
  }
}

TEST(Sink, AFileBehindADescriptorStaysWhatItIs) {
  ScratchFolder const folder;
  std::string const path = folder.put("file", "kept ");
  penstock::FileDescriptor const file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  std::string const name = "/dev/fd/" + std::to_string(file.get());
  auto const sink = open_sink(name, {true});
  sink->write(bytes_of("and more"));
  sink->commit();
  EXPECT_TRUE(penstock::remove_committed(name));
  EXPECT_EQ(folder.get("file"), "kept and more");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(Spool, FindsAPlaceForEveryOutput) {
  std::string const block(2u << 20, 'x');
  for (char const* path : {"-", "/dev/null", "/dev/stdout", "/dev/fd/1"}) {
    Spool spool(path);
    spool.write(bytes_of(block));
    EXPECT_EQ(spool.size_bytes(), block.size());
  }
  ScratchFolder const folder;
  Spool lost(folder.at("none/out"));
  EXPECT_NE(complaint_of([&] { lost.write(bytes_of(block)); }).find("No such file or directory"), std::string::npos);
}

}  // namespace
