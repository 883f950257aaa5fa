#include "host/app/synth.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <condition_variable>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "host/io/interrupt.hpp"
#include "host/text/suggest.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// `Width` decimal digits, zero padded, of every number below 10^Width, in entries of four bytes.
template <unsigned Width>
constexpr auto make_digits() {
  constexpr unsigned count = Width == 3 ? 1000 : 10000;
  std::array<std::array<char, 4>, count> table{};
  for (unsigned i = 0; i < count; ++i) {
    unsigned rest = i;
    for (unsigned at = Width; at-- > 0; rest /= 10) table[i][at] = static_cast<char>('0' + rest % 10);
  }
  return table;
}
constexpr auto digits3 = make_digits<3>();
constexpr auto digits4 = make_digits<4>();

// ---- higgs: label and 28 features, each as printf's %.18e would show a float32 ------------------------

__extension__ using Uint128 = unsigned __int128;

/// Magnitudes are fixed-point numbers with this many fraction bits, below 10.
constexpr unsigned fraction_bits = 32;
constexpr std::uint64_t fixed_one = std::uint64_t{1} << fraction_bits;

/// Leading decimal places: magnitude * scale lies in [1, 10).
struct Decade {
  std::uint64_t scale;
  char exponent[4];
};
constexpr std::array<Decade, 11> decades = [] {
  std::array<Decade, 11> table{};
  std::uint64_t scale = 1;
  for (unsigned i = 0; i < table.size(); ++i, scale *= 10) {
    table[i] = {scale, {'e', i == 0 ? '+' : '-', static_cast<char>('0' + i / 10), static_cast<char>('0' + i % 10)}};
  }
  return table;
}();

/// The decade of the largest number of each bit width; a smaller number may belong to the next.
constexpr std::array<std::uint8_t, 37> decade_of_width = [] {
  std::array<std::uint8_t, 37> table{};
  for (unsigned width = 1; width < table.size(); ++width) {
    std::uint64_t const largest = (std::uint64_t{1} << width) - 1;
    while (largest * decades[table[width]].scale < fixed_one) ++table[width];
  }
  return table;
}();

/// A mask of the 24 leading bits of numbers of each bit width.
constexpr std::array<std::uint64_t, 37> leading_bits = [] {
  std::array<std::uint64_t, 37> table{};
  for (unsigned width = 0; width < table.size(); ++width) {
    table[width] = ~std::uint64_t{0} << (width > 24 ? width - 24 : 0);
  }
  return table;
}();

/// A signed fixed-point number.
struct Signed {
  bool is_negative;
  std::uint64_t magnitude;
};

/// 19 digits as "d.dddddddddddddddddd" (20 bytes). `value` < 10^19.
inline void put_19_digits(std::uint64_t value, char* out) {
  constexpr std::uint32_t e8 = 100'000'000;
  std::uint64_t const upper = value / e8;
  auto const top = static_cast<std::uint32_t>(upper / e8);
  auto const high = static_cast<std::uint32_t>(upper - std::uint64_t{top} * e8);
  auto const low = static_cast<std::uint32_t>(value - upper * e8);
  std::memcpy(out + 1, digits3[top].data(), 3);
  out[0] = out[1];
  out[1] = '.';
  std::memcpy(out + 4, digits4[high / 10'000].data(), 4);
  std::memcpy(out + 8, digits4[high % 10'000].data(), 4);
  std::memcpy(out + 12, digits4[low / 10'000].data(), 4);
  std::memcpy(out + 16, digits4[low % 10'000].data(), 4);
}

/// A number, cut to its 24 leading bits (an exact float32, never zero), as %.18e shows it: exact, ties to even.
inline char* put_scientific(Signed number, char* out) {
  std::uint64_t const magnitude = number.magnitude | 1;
  auto const width = static_cast<unsigned>(std::bit_width(magnitude));
  std::uint64_t const x = magnitude & leading_bits[width];
  unsigned const guess = decade_of_width[width];
  Decade const& decade = decades[guess + (x * decades[guess].scale < fixed_one ? 1u : 0u)];
  Uint128 const product = Uint128{x * decade.scale} * 1'000'000'000'000'000'000u;
  auto const floor = static_cast<std::uint64_t>(product >> fraction_bits);
  std::uint64_t const rest = static_cast<std::uint64_t>(product) & (fixed_one - 1);
  bool const rounds_up = rest + (floor & 1) > fixed_one / 2;
  *out = '-';
  out += number.is_negative ? 1 : 0;
  put_19_digits(floor + (rounds_up ? 1 : 0), out);
  std::memcpy(out + 20, decade.exponent, 4);
  return out + 24;
}

std::uint64_t lane(std::uint64_t random, unsigned number) { return (random >> (16 * number)) & 0xffff; }

/// Positive and skewed to the right, as momenta and masses are: the product of two triangles over [0, 2),
/// which has mean 1, moved up by `offset`.
Signed skewed(std::uint64_t random, std::uint64_t offset) {
  std::uint64_t const first = lane(random, 0) + lane(random, 1);
  std::uint64_t const second = lane(random, 2) + lane(random, 3);
  return {false, first * second + offset};
}

/// Bell-shaped, mean 0, deviation 1: four uniform numbers times sqrt(3), whose 16-bit steps are filled
/// with bits of a product of the same random number.
Signed normal(std::uint64_t random) {
  constexpr std::uint64_t step = 113'512;  // 2^16 * sqrt(3)
  auto const sum = static_cast<std::int64_t>(lane(random, 0) + lane(random, 1) + lane(random, 2) + lane(random, 3));
  std::int64_t const centred = sum - 2 * 0xffff;
  auto const steps = static_cast<std::uint64_t>(centred < 0 ? -centred : centred);
  return {centred < 0, steps * step + ((random * 0xd1342543de82ef95u) >> 48)};
}

/// Uniform in (-1.75, 1.75): an angle in units of its deviation.
Signed angle(std::uint64_t random) { return {(random & 1) != 0, (random >> 32) * 7 / 4}; }

enum class HiggsField : std::uint8_t { momentum, normal, angle, tag, mass };

/// What the 28 features are: a lepton, the missing energy, four jets with their tags, seven masses.
constexpr std::array<HiggsField, 28> higgs_fields = [] {
  using enum HiggsField;
  return std::array{momentum, normal, angle, momentum, angle,                         //
                    momentum, normal, angle, tag,      momentum, normal, angle, tag,  //
                    momentum, normal, angle, tag,      momentum, normal, angle, tag,  //
                    mass,     mass,   mass,  mass,     mass,     mass,   mass};
}();

constexpr std::string_view higgs_zero = "0.000000000000000000e+00";
constexpr std::string_view higgs_one = "1.000000000000000000e+00";
/// What the tag of each of the four jets can be; jet n has its tag at feature 8 + 4 n.
constexpr std::string_view jet_tags[4][3] = {
    {higgs_zero, "1.086538076400756836e+00", "2.173076152801513672e+00"},
    {higgs_zero, "1.107436060905456543e+00", "2.214872121810913086e+00"},
    {higgs_zero, "1.274112224578857422e+00", "2.548224449157714844e+00"},
    {higgs_zero, "1.550980687141418457e+00", "3.101961374282836914e+00"},
};

char* put_constant(std::string_view text, char* out) {
  std::memcpy(out, text.data(), higgs_zero.size());
  return out + higgs_zero.size();
}

/// One feature and the comma before it.
template <std::size_t Feature>
inline char* put_higgs(std::uint64_t random, bool label, char* out) {
  constexpr HiggsField field = higgs_fields[Feature];
  *out++ = ',';
  if constexpr (field == HiggsField::tag) return put_constant(jet_tags[Feature / 4 - 2][(random >> 32) * 3 >> 32], out);
  if constexpr (field == HiggsField::normal) return put_scientific(normal(random), out);
  if constexpr (field == HiggsField::angle) return put_scientific(angle(random), out);
  // Masses of label 0 lie half a unit higher, so that there is something to learn.
  bool const is_high = field == HiggsField::mass && !label;
  return put_scientific(skewed(random, is_high ? fixed_one * 3 / 4 : fixed_one / 4), out);
}

template <std::size_t... Feature>
inline char* put_higgs_record(SynthRandom& random, char* out, std::index_sequence<Feature...>) {
  SynthRandom local = random;  // a copy that no store through `out` can alias: it stays in a register
  bool const label = (local.next() >> 63) != 0;
  out = put_constant(label ? higgs_one : higgs_zero, out);
  ((out = put_higgs<Feature>(local.next(), label, out)), ...);
  *out++ = '\n';
  random = local;
  return out;
}

char* higgs_record(SynthRandom& random, char* out) {
  return put_higgs_record(random, out, std::make_index_sequence<higgs_fields.size()>());
}

constexpr std::string_view higgs_header =
    "label,lepton_pt,lepton_eta,lepton_phi,missing_energy,missing_energy_phi,"
    "jet1_pt,jet1_eta,jet1_phi,jet1_tag,jet2_pt,jet2_eta,jet2_phi,jet2_tag,"
    "jet3_pt,jet3_eta,jet3_phi,jet3_tag,jet4_pt,jet4_eta,jet4_phi,jet4_tag,"
    "m_jj,m_jjj,m_lv,m_jlv,m_bb,m_wbb,m_wwbb\n";

// ---- compact: label and 39 short integers and decimals, some cells empty -------------------------------

/// How a cell begins (sign, up to three digits, the point of a decimal) and how many digits follow it.
/// Eight bytes, so that one load and one store move it.
struct Head {
  char text[6];
  std::uint8_t size;
  std::uint8_t tail;
};
static_assert(sizeof(Head) == 8);
using Heads = std::array<Head, 1024>;

constexpr Head make_head(bool is_negative, unsigned value, bool has_point, unsigned tail) {
  Head head{};
  auto const put = [&head](char c) { head.text[head.size++] = c; };
  if (is_negative) put('-');
  if (value >= 100) put(static_cast<char>('0' + value / 100));
  if (value >= 10) put(static_cast<char>('0' + value / 10 % 10));
  put(static_cast<char>('0' + value % 10));
  if (has_point) put('.');
  head.tail = static_cast<std::uint8_t>(tail);
  return head;
}

/// Decimals as %.6g shows them: six significant digits, for one in four fewer. An entry's lowest bit is the
/// sign, the rest its rank in order of magnitude.
constexpr Head decimal_head(unsigned entry, unsigned value) {
  unsigned const tail = value >= 100 ? 3 : value >= 10 ? 4 : value >= 1 ? 5 : 6;
  unsigned const spread = entry / 2 % 8;
  return make_head(entry % 2 != 0, value, true, spread == 0 ? 1 : spread == 1 ? tail - 2 : tail);
}

/// Whole parts of |x| for x of deviation 1: shares of a normal distribution in 512ths.
constexpr Heads unit_heads = [] {
  Heads heads{};
  for (unsigned i = 0; i < heads.size(); ++i) {
    unsigned const rank = i / 2;
    heads[i] = decimal_head(i, rank < 350 ? 0 : rank < 489 ? 1 : rank < 511 ? 2 : 3);
  }
  return heads;
}();

/// Whole parts below 1000, small ones more often (the square of a uniform number).
constexpr Heads wide_heads = [] {
  Heads heads{};
  for (unsigned i = 0; i < heads.size(); ++i) heads[i] = decimal_head(i, (i / 2) * (i / 2) * 999 / (511 * 511));
  return heads;
}();

/// Integers of one to six digits, each length about as often; of signed ones an eighth are negative.
constexpr Heads make_integer_heads(bool is_signed) {
  Heads heads{};
  for (unsigned i = 0; i < heads.size(); ++i) {
    unsigned const rank = i / 2;
    unsigned const digits = 1 + rank * 6 / 512;
    unsigned const value = digits == 1 ? rank % 10 : digits == 2 ? 10 + rank * 7 % 90 : 100 + rank * 613 % 900;
    bool const is_negative = is_signed && i % 8 == 1 && value != 0;
    heads[i] = make_head(is_negative, value, false, digits > 3 ? digits - 3 : 0);
  }
  return heads;
}
constexpr Heads count_heads = make_integer_heads(false);
constexpr Heads signed_heads = make_integer_heads(true);

/// One cell and the comma after it. Bits of `random`: 10 choose the head, 2 x 16 the digits that follow,
/// 9 the last digit of a decimal (not zero: %.6g drops those), 13 whether the cell is empty (246 / 2^13 = 3 %).
/// No branch depends on them: an empty cell is written like any other and then not kept.
template <bool IsDecimal>
[[gnu::always_inline]] inline char* put_cell(Heads const& heads, std::uint64_t random, char* out) {
  Head const& head = heads[random & 1023];
  std::memcpy(out, &head, sizeof head);
  char* const tail = out + head.size;
  std::memcpy(tail, digits3[1 + (((random >> 10) & 0xffff) * 999 >> 16)].data(), 4);
  if constexpr (IsDecimal) {
    std::memcpy(tail + 3, digits3[((random >> 26) & 0xffff) * 1000 >> 16].data(), 4);
    tail[head.tail - 1] = static_cast<char>('1' + (((random >> 42) & 511) * 9 >> 9));
  }
  std::size_t const is_kept = (random >> 51) >= 246 ? 1 : 0;
  out += is_kept * (std::size_t{head.size} + head.tail);
  *out = ',';
  return out + 1;
}

constexpr std::size_t compact_columns = 40;

template <std::size_t Column>
inline char* put_compact(std::uint64_t random, char* out) {
  if constexpr (Column % 5 >= 2) return put_cell<true>(Column % 3 == 0 ? wide_heads : unit_heads, random, out);
  return put_cell<false>(Column % 10 == 1 ? signed_heads : count_heads, random, out);
}

template <std::size_t... Before>
inline char* put_compact_record(SynthRandom& random, char* out, std::index_sequence<Before...>) {
  SynthRandom local = random;  // as above
  *out++ = static_cast<char>('0' + (local.next() >> 63));
  *out++ = ',';
  ((out = put_compact<Before + 1>(local.next(), out)), ...);
  out[-1] = '\n';
  random = local;
  return out;
}

char* compact_record(SynthRandom& random, char* out) {
  return put_compact_record(random, out, std::make_index_sequence<compact_columns - 1>());
}

constexpr std::string_view compact_header =
    "label,c1,c2,c3,c4,c5,c6,c7,c8,c9,c10,c11,c12,c13,c14,c15,c16,c17,c18,c19,"
    "c20,c21,c22,c23,c24,c25,c26,c27,c28,c29,c30,c31,c32,c33,c34,c35,c36,c37,c38,c39\n";

// ---- the list of kinds ----------------------------------------------------------------------------------

/// Rows a block: about 0.75 and 0.55 MiB, so that a block is still in the second-level cache when it is written.
constexpr SynthKind kinds[] = {
    {"higgs", "CSV like the HIGGS set: label and 28 features, every field as %.18e", higgs_header, 1024, 29 * 26,
     higgs_record},
    {"compact", "CSV of short fields: label and 39 integers and decimals, 3 % of cells empty", compact_header, 2048,
     compact_columns * 10, compact_record},
};

// ---- blocks, in order -----------------------------------------------------------------------------------

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

/// A block's bytes, in memory that is taken once and used for many blocks.
struct Block {
  std::unique_ptr<char[]> memory;
  std::size_t size_bytes = 0;
  bool is_made = false;
};

std::size_t block_bytes_max(SynthKind const& kind) {
  return kind.block_rows * kind.record_bytes_max + synth_slack_bytes;
}

/// Which records an output consists of: those before `rows`, block by block.
struct Plan {
  SynthKind const& kind;
  std::uint64_t seed;
  std::uint64_t rows;

  [[nodiscard]] std::uint64_t blocks() const { return rows / kind.block_rows + (rows % kind.block_rows != 0 ? 1 : 0); }
  /// Makes records of block `number` until it ends or holds `size_bytes_min` bytes; returns the bytes made.
  std::size_t make(std::uint64_t number, std::uint64_t size_bytes_min, char* memory) const {
    SynthRandom random(seed, number);
    std::uint64_t const rows_here = std::min<std::uint64_t>(kind.block_rows, rows - number * kind.block_rows);
    char* out = memory;
    for (std::uint64_t row = 0; row < rows_here; ++row) {
      if (static_cast<std::uint64_t>(out - memory) >= size_bytes_min) break;
      out = kind.record(random, out);
    }
    return static_cast<std::size_t>(out - memory);
  }
};

/// Makes blocks ahead of the caller, who takes and gives them back in order. Block n lives in slot
/// n mod slots; a worker begins block n only when block n - slots was given back.
class BlockLine {
 public:
  BlockLine(Plan const& plan, unsigned threads) : plan_(plan), blocks_(threads > 1 ? 2 * threads : 1) {
    for (Block& block : blocks_) block.memory = std::make_unique_for_overwrite<char[]>(block_bytes_max(plan_.kind));
    for (unsigned i = 0; threads > 1 && i < threads; ++i) {
      workers_.emplace_back([this](std::stop_token stop) { work(stop); });
    }
  }
  /// The next block in order; the caller's until give_back().
  Block& take() {
    Block& block = slot(taken_);
    if (workers_.empty()) {
      block.size_bytes = plan_.make(taken_, no_limit, block.memory.get());
    } else {
      std::unique_lock lock(mutex_);
      made_.wait(lock, [&] { return block.is_made; });
    }
    return block;
  }
  void give_back() {
    std::lock_guard const lock(mutex_);
    slot(taken_++).is_made = false;
    given_back_.notify_one();
  }

 private:
  Block& slot(std::uint64_t number) { return blocks_[number % blocks_.size()]; }

  void work(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (begun_ < plan_.blocks()) {
      if (!given_back_.wait(lock, stop, [this] { return begun_ < taken_ + blocks_.size(); })) return;
      if (begun_ >= plan_.blocks()) return;
      std::uint64_t const number = begun_++;
      Block& block = slot(number);
      lock.unlock();
      std::size_t const size_bytes = plan_.make(number, no_limit, block.memory.get());
      lock.lock();
      block.size_bytes = size_bytes;
      block.is_made = true;
      made_.notify_one();
    }
  }

  Plan plan_;
  std::vector<Block> blocks_;
  std::mutex mutex_;
  std::condition_variable made_;
  std::condition_variable_any given_back_;
  std::uint64_t begun_ = 0;            ///< blocks that workers have begun
  std::uint64_t taken_ = 0;            ///< blocks that the caller is done with
  std::vector<std::jthread> workers_;  ///< last, so that they end before what they use
};

void write(Sink& sink, std::string_view text) { sink.write(std::as_bytes(std::span(text.data(), text.size()))); }

std::string names_of_kinds() {
  std::string names;
  for (SynthKind const& kind : kinds) names += (names.empty() ? "" : ", ") + std::string(kind.name);
  return names;
}

void validate(SynthOptions const& options, SynthKind const& kind) {
  if ((options.rows == 0) == (options.size_bytes_min == 0)) {
    throw ConfigurationError("synthetic data needs either a number of rows or a size",
                             "give exactly one of them, and not 0");
  }
  if (options.header && kind.header.empty()) {
    throw ConfigurationError("data of the kind \"" + options.kind + "\" has no header record");
  }
}

}  // namespace

std::span<SynthKind const> synth_kinds() { return kinds; }

SynthKind const& synth_kind(std::string_view name) {
  auto const* const found = std::ranges::find(kinds, name, &SynthKind::name);
  if (found != std::end(kinds)) return *found;
  std::vector<std::string> names;
  for (SynthKind const& kind : kinds) names.emplace_back(kind.name);
  auto const near_miss = nearest(name, names);
  throw ConfigurationError("unknown kind of synthetic data \"" + std::string(name) + "\"",
                           (near_miss ? "did you mean \"" + *near_miss + "\"? " : "") + "kinds: " + names_of_kinds());
}

void synthesize(SynthOptions const& options, Sink& sink, unsigned threads) {
  SynthKind const& kind = synth_kind(options.kind);
  validate(options, kind);
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  Plan const plan{kind, options.seed, options.rows != 0 ? options.rows : no_limit};
  std::uint64_t remaining = options.rows != 0 ? no_limit : options.size_bytes_min;
  if (options.header) {
    write(sink, kind.header);
    remaining -= std::min<std::uint64_t>(remaining, kind.header.size());
  }
  BlockLine line(plan, static_cast<unsigned>(std::min<std::uint64_t>(threads, plan.blocks())));
  for (std::uint64_t number = 0; number < plan.blocks() && remaining > 0; ++number) {
    throw_if_interrupted();
    Block& block = line.take();
    if (block.size_bytes >= remaining) block.size_bytes = plan.make(number, remaining, block.memory.get());
    write(sink, {block.memory.get(), block.size_bytes});
    remaining -= std::min<std::uint64_t>(remaining, block.size_bytes);
    line.give_back();
  }
}

std::string synthesize_block(std::string_view kind_name, std::uint64_t seed, std::uint64_t block) {
  SynthKind const& kind = synth_kind(kind_name);
  std::string bytes(block_bytes_max(kind), '\0');
  bytes.resize(Plan{kind, seed, no_limit}.make(block, no_limit, bytes.data()));
  return bytes;
}

}  // namespace penstock::app
