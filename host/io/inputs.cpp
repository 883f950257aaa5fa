#include "host/io/inputs.hpp"

#include "host/io/file_descriptor.hpp"
#include "host/text/suggest.hpp"
#include "penstock/error.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include <glob.h>
#include <sys/stat.h>

namespace penstock {
namespace {

using Status = struct stat;
using FileId = std::pair<dev_t, ino_t>;

/// What the walk through one argument found.
struct Found {
  std::vector<InputFile> files;
  std::uint64_t hidden = 0;   ///< names that start with '.' or '_'
  std::uint64_t special = 0;  ///< FIFOs, sockets and devices inside folders
};

/// The names in a folder, in no order. Throws SourceError if it cannot be read.
std::vector<std::string> names_in(std::string const& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
    names.push_back(i->path().filename().string());
  }
  if (error) throw SourceError(folder + ": cannot list the folder: " + cause_of(error.value()));
  return names;
}

std::string joined(std::string const& folder, std::string const& name) {
  return folder.ends_with('/') ? folder + name : folder + '/' + name;
}

/// Folder and name of a path: "a/b" is "a/" and "b", "b" is "" and "b".
std::pair<std::string, std::string> split(std::string const& path) {
  std::size_t const name_begin = path.find_last_of('/') + 1;  // npos + 1 is 0
  return {path.substr(0, name_begin), path.substr(name_begin)};
}

std::string hint_for_missing(std::string const& path) {
  auto const [folder, name] = split(path);
  std::string const looked_in = folder.empty() ? "." : folder;
  std::error_code error;
  if (!std::filesystem::is_directory(looked_in, error)) return "There is no folder " + looked_in + ".";
  try {
    std::vector<std::string> names = names_in(looked_in);
    std::sort(names.begin(), names.end());
    std::optional<std::string> const sibling = nearest(name, names);
    return sibling ? "Did you mean " + folder + *sibling + "?" : "";
  } catch (SourceError const&) {
    return "";  // a folder that cannot be listed has no names to offer
  }
}

[[noreturn]] void throw_unreachable(std::string const& path, int error_number) {
  Status link{};
  if (error_number == ENOENT && ::lstat(path.c_str(), &link) == 0) {
    throw SourceError(path + ": the symbolic link points to a file that does not exist");
  }
  if (error_number == ENOENT) throw SourceError(path + ": no such file", hint_for_missing(path));
  throw SourceError(path + ": " + cause_of(error_number));
}

std::optional<Status> status_if_exists(std::string const& path) {
  Status status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

void add_file(std::string const& path, Status const& status, Found& found) {
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0) {
    throw SourceError(path + ": " + cause_of(errno), "Reading it needs the permission 'r': see ls -l.");
  }
  bool const is_regular = S_ISREG(status.st_mode);
  found.files.push_back({path, false, is_regular, is_regular ? static_cast<std::uint64_t>(status.st_size) : 0});
}

/// Adds a folder's files. `above` holds the folders that it lies in, itself included: a link back to one of
/// them is not entered, so the walk ends, and what it finds depends on the tree alone.
void add_folder(std::string const& folder, std::vector<FileId>& above, Found& found) {
  for (std::string const& name : names_in(folder)) {
    if (name.starts_with('.') || name.starts_with('_')) {
      ++found.hidden;
      continue;
    }
    std::string const path = joined(folder, name);
    std::optional<Status> const status = status_if_exists(path);
    if (!status) throw_unreachable(path, errno);
    if (S_ISREG(status->st_mode)) {
      add_file(path, *status, found);
    } else if (S_ISDIR(status->st_mode)) {
      FileId const id{status->st_dev, status->st_ino};
      if (std::find(above.begin(), above.end(), id) != above.end()) continue;
      above.push_back(id);
      add_folder(path, above, found);
      above.pop_back();
    } else {
      ++found.special;
    }
  }
}

void add_existing(std::string const& path, Status const& status, Found& found) {
  if (!S_ISDIR(status.st_mode)) return add_file(path, status, found);
  std::vector<FileId> above{{status.st_dev, status.st_ino}};
  add_folder(path, above, found);
}

std::string counted(std::uint64_t count, char const* one, char const* many) {
  return std::to_string(count) + (count == 1 ? one : many);
}

[[noreturn]] void throw_empty(std::string const& argument, Found const& found) {
  std::string message = argument + ": the folder holds no files to read";
  if (found.hidden > 0) {
    message += "; " + counted(found.hidden, " name that starts", " names that start") + " with '.' or '_' " +
               (found.hidden == 1 ? "was" : "were") + " skipped";
  }
  if (found.special > 0) {
    message +=
        "; " + counted(found.special, " FIFO, socket or device was", " FIFOs, sockets or devices were") + " skipped";
  }
  throw SourceError(message, found.hidden + found.special > 0
                                 ? "Name the files themselves: what is named outright is not skipped."
                                 : "");
}

/// Paths that match a glob(7) pattern, in no order. Throws SourceError if there is none.
std::vector<std::string> matches_of(std::string const& pattern) {
  struct Matches : ::glob_t {
    Matches() : ::glob_t{} {}
    ~Matches() { ::globfree(this); }
    Matches(Matches const&) = delete;
    Matches& operator=(Matches const&) = delete;
  } matches;
  int const result = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &matches);
  if (result == GLOB_NOMATCH) {
    bool const is_recursive = pattern.find("**") != std::string::npos;
    throw SourceError(pattern + ": no file matches the pattern",
                      is_recursive ? "\"**\" is not supported: name the folder, it is read at any depth." : "");
  }
  if (result != 0) throw SourceError(pattern + ": the pattern cannot be expanded: " + cause_of(errno));
  return {matches.gl_pathv, matches.gl_pathv + matches.gl_pathc};
}

Found expand(std::string const& argument) {
  if (argument.empty()) throw SourceError("the name of an input is empty", "Is a shell variable not set?");
  Found found;
  bool may_be_empty = true;
  if (std::optional<Status> const status = status_if_exists(argument)) {
    add_existing(argument, *status, found);
  } else {
    int const error_number = errno;
    may_be_empty = argument.find_first_of("*?[") != std::string::npos;
    if (!may_be_empty || (error_number != ENOENT && error_number != ENOTDIR)) {
      throw_unreachable(argument, error_number);
    }
    for (std::string const& path : matches_of(argument)) {
      std::optional<Status> const match = status_if_exists(path);
      if (!match) throw_unreachable(path, errno);
      add_existing(path, *match, found);
    }
  }
  if (found.files.empty()) throw_empty(argument, found);
  std::sort(found.files.begin(), found.files.end(),
            [](InputFile const& a, InputFile const& b) { return a.path < b.path; });  // bytes as unsigned
  return found;
}

}  // namespace

std::vector<InputFile> expand_inputs(std::vector<std::string> const& arguments) {
  std::vector<InputFile> inputs;
  bool has_stdin = false;
  for (std::string const& argument : arguments) {
    if (argument == "-") {
      if (has_stdin) throw ConfigurationError("standard input (-) is named twice; it can be read only once");
      has_stdin = true;
      inputs.push_back({argument, true, false, 0});
      continue;
    }
    Found found = expand(argument);
    std::move(found.files.begin(), found.files.end(), std::back_inserter(inputs));
  }
  return inputs;
}

}  // namespace penstock
