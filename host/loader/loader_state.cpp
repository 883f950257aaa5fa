#include "host/loader/loader_state.hpp"

#include <limits>

#include <rapidjson/document.h>

#include "host/app/json.hpp"
#include "host/text/sha256.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

constexpr std::string_view kind = "penstock loader 1";
constexpr std::size_t digest_digits = 16;
constexpr std::uint64_t position_max = std::uint64_t{1} << 62;  // sums with it do not overflow

[[noreturn]] void throw_no_state(std::string const& why) {
  throw ConfigurationError("this is no state of a loader: " + why,
                           "Loader::state() makes one, in Python Loader.state_dict().");
}

/// Members of an object that must be there.
class Members {
 public:
  explicit Members(rapidjson::Value const& object) : object_(object) {
    if (!object.IsObject()) throw_no_state("it is no JSON object");
  }
  [[nodiscard]] rapidjson::Value const& at(char const* name) const {
    auto const found = object_.FindMember(name);
    if (found == object_.MemberEnd()) throw_no_state("it has no \"" + std::string(name) + "\"");
    return found->value;
  }
  [[nodiscard]] std::uint64_t number(char const* name) const {
    rapidjson::Value const& value = at(name);
    if (!value.IsUint64()) throw_no_state("\"" + std::string(name) + "\" is no whole number");
    return value.GetUint64();
  }
  [[nodiscard]] std::string text(char const* name) const {
    rapidjson::Value const& value = at(name);
    if (!value.IsString()) throw_no_state("\"" + std::string(name) + "\" is no string");
    return {value.GetString(), value.GetStringLength()};
  }

 private:
  rapidjson::Value const& object_;
};

Shuffle shuffle_named(std::string const& name) {
  for (Shuffle const shuffle : {Shuffle::none, Shuffle::window, Shuffle::exact})
    if (name == name_of(shuffle)) return shuffle;
  throw_no_state("there is no shuffle \"" + name + "\"");
}

StreamPlace place_of(rapidjson::Value const& value) {
  Members const members(value);
  StreamPlace place;
  place.shard = static_cast<std::uint32_t>(members.number("file"));
  place.offset_bytes = members.number("offset");
  place.follows_cr = members.number("cr") != 0;
  place.line = members.number("line");
  place.passed = members.number("passed");
  place.accepted = members.number("accepted");
  place.rejected = members.number("rejected");
  place.rejected_bytes = members.number("rejected_bytes");
  place.repaired_cells = members.number("repaired");
  if (value.HasMember("qid") && value["qid"].IsInt64()) place.last_qid = value["qid"].GetInt64();
  return place;
}

void add_place(app::Json& json, StreamPlace const& place) {
  json.key("place").begin_object();
  json.member("file", std::uint64_t{place.shard}).member("offset", place.offset_bytes);
  json.member("cr", std::uint64_t{place.follows_cr}).member("line", place.line).member("passed", place.passed);
  json.member("accepted", place.accepted).member("rejected", place.rejected);
  json.member("rejected_bytes", place.rejected_bytes).member("repaired", place.repaired_cells);
  if (place.last_qid != std::numeric_limits<std::int64_t>::min()) json.member("qid", place.last_qid);
  json.end_object();
}

std::string order_words(OrderOptions const& order) {
  std::string words = "shuffle " + std::string(name_of(order.shuffle));
  if (order.shuffle == Shuffle::window) words += ", window " + std::to_string(order.window);
  if (order.shuffle != Shuffle::none) words += ", seed " + std::to_string(order.seed);
  return words;
}

std::string files_words(LoaderState const& state) {
  return format_count(state.files) + (state.files == 1 ? " file" : " files") + " of " + format_count(state.file_bytes) +
         " bytes";
}

}  // namespace

LoaderState state_of(OpenedInput const& input) {
  LoaderState state;
  state.options_digest = input.options_digest();
  std::string names, times;
  for (FileStamp const& stamp : input.stamps()) {
    state.file_bytes += stamp.size_bytes;
    names += std::to_string(stamp.size_bytes) + " " + stamp.path.substr(stamp.path.rfind('/') + 1) + "\n";
    times += std::to_string(stamp.modified_ns) + "\n";
  }
  state.files = input.files().size();
  state.files_digest = sha256_of(names).substr(0, digest_digits);
  state.modified_digest = sha256_of(times).substr(0, digest_digits);
  return state;
}

std::string to_json(LoaderState const& state) {
  app::Json json;
  json.begin_object().member("kind", kind).member("epoch", state.epoch).member("position", state.position);
  json.member("step", state.step).member("shuffle", name_of(state.order.shuffle));
  if (state.order.shuffle != Shuffle::none) json.member("seed", state.order.seed);
  if (state.order.shuffle == Shuffle::window) json.member("window", state.order.window);
  json.member("options", state.options_digest).member("files", state.files).member("bytes", state.file_bytes);
  json.member("names", state.files_digest).member("modified", state.modified_digest);
  if (state.place) add_place(json, *state.place);
  std::string line = json.end_object().line();
  line.pop_back();
  return line;
}

LoaderState parse_state(std::string_view text) {
  rapidjson::Document document;
  document.Parse(text.data(), text.size());
  if (document.HasParseError()) throw_no_state("it is no JSON");
  Members const members(document);
  if (members.text("kind") != kind) throw_no_state("its kind is \"" + members.text("kind") + "\"");
  LoaderState state;
  state.epoch = members.number("epoch");
  state.position = members.number("position");
  if (state.position > position_max) throw_no_state("\"position\" is beyond every record");
  state.step = members.number("step");
  state.order.shuffle = shuffle_named(members.text("shuffle"));
  if (state.order.shuffle != Shuffle::none) state.order.seed = members.number("seed");
  if (state.order.shuffle == Shuffle::window) state.order.window = members.number("window");
  state.options_digest = members.text("options");
  state.files = members.number("files");
  state.file_bytes = members.number("bytes");
  state.files_digest = members.text("names");
  state.modified_digest = members.text("modified");
  if (document.HasMember("place")) state.place = place_of(document["place"]);
  if (!state.place) return state;
  if (state.place->shard >= state.files) throw_no_state("its place is in a file that there is not");
  std::uint64_t const window = state.order.shuffle == Shuffle::window ? state.order.window : 1;
  bool const is_before = window != 0 && state.place->accepted <= state.position / window * window;
  if (!is_before) throw_no_state("its place is behind the records that come next");
  return state;
}

void check_state(LoaderState const& state, LoaderState const& now, bool allows_modified) {
  if (order_words(state.order) != order_words(now.order))
    throw ConfigurationError("the state is of another order: " + order_words(state.order) + ", and this loader has " +
                             order_words(now.order));
  if (state.options_digest != now.options_digest)
    throw ConfigurationError("the state is of a loader with other options of reading",
                             "The same format, columns, labels, normaliser and fault policy are needed.");
  if (state.files != now.files || state.files_digest != now.files_digest)
    throw SourceError("the state is of other files: " + files_words(state) + ", and here are " + files_words(now),
                      "The same names and sizes in the same order are needed.");
  if (!allows_modified && state.modified_digest != now.modified_digest)
    throw SourceError("files have been modified since the state was made, though their sizes are the same",
                      "allow_modified, if they were only copied or touched");
}

}  // namespace penstock
