// Reads case files and plays their steps: "a> PACKET", "a< PACKET", "a< close", "a< nothing 300ms", "wait 1s".
#include "tests/conformance/play.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "tests/conformance/notation.hpp"
#include "tests/conformance/properties.hpp"

namespace hf::conformance {
namespace {

constexpr Millis usual_patience{10000};

struct Failure {
  std::string what;
};

Millis millis(const std::string& text) {
  std::size_t used = 0;
  const double value = std::stod(text, &used);
  const std::string unit = text.substr(used);
  if (unit != "ms" && unit != "s") throw Failure{"\"" + text + "\" is no time"};
  return Millis(static_cast<long>(value * (unit == "s" ? 1000 : 1)));
}

class Player {
 public:
  Player(int level, std::string key, Bench& bench) : level_(level), key_(std::move(key)), bench_(bench) {}

  void step(std::string text) {
    if (text.size() > 2 && text[1] == '|') {  // of one level only
      if (text[0] - '0' != level_) return;
      text = text.substr(2);
    }
    if (text.rfind("patience ", 0) == 0) {
      patience_ = millis(text.substr(9));
      return;
    }
    if (text.rfind("wait ", 0) == 0) return bench_.wait(millis(text.substr(5)));
    const auto mark = text.find_first_of("><~");
    if (mark == std::string::npos || mark + 1 >= text.size()) throw Failure{"no step"};
    const std::string who = text.substr(0, mark);
    const std::string what = text.substr(text.find_first_not_of(' ', mark + 1));
    if (text[mark] == '>') return say(who, what);
    if (text[mark] == '~') return either(who, what);
    if (what == "close") return expect_close(who);
    if (what.rfind("nothing", 0) == 0) return expect_nothing(who, what.size() > 8 ? millis(what.substr(8)) : Millis(200));
    expect(who, what);
  }

  /// What the connections said in the end, for the story of a failure.
  std::string heard() const {
    std::string out;
    for (const auto& line : story_) out += "\n    " + line;
    return out;
  }

 private:
  struct Line {
    std::size_t connection = 0;
    int level = 5;
    std::vector<Words> early;  ///< came while another was looked for
    std::set<std::string> in_use;  ///< packet ids of the server that this connection has heard and not yet let go of
  };

  Line& line(const std::string& who) {
    const auto it = lines_.find(who);
    if (it == lines_.end()) throw Failure{"connection " + who + " was never opened"};
    return it->second;
  }

  Line& opened(const std::string& who) {
    const auto it = lines_.find(who);
    if (it != lines_.end()) return it->second;
    Line fresh;
    fresh.connection = bench_.open(static_cast<std::size_t>(who.at(0) - 'a'));
    fresh.level = level_;
    return lines_.emplace(who, fresh).first->second;
  }

  void say(const std::string& who, const std::string& what) {
    if (what == "open") return static_cast<void>(opened(who));
    if (what == "close" || what == "reset") {
      what == "close" ? bench_.close(line(who).connection) : bench_.reset(line(who).connection);
      lines_.erase(who);
      return;
    }
    if (what == "deaf" || what == "listen") return bench_.pause(line(who).connection, what == "deaf");
    const bool slow = what.rfind("slow ", 0) == 0;
    Line& to = opened(who);
    std::string bytes;
    std::size_t at = slow ? 5 : 0;
    while (at <= what.size()) {  // "PACKET ; PACKET" leave in one write
      const auto end = std::min(what.find(" ; ", at), what.size());
      bytes += bytes_of(what.substr(at, end - at), to);
      at = end + 3;
    }
    if (!slow) return bench_.send(to.connection, bytes);
    for (const char byte : bytes) {
      bench_.send(to.connection, std::string(1, byte));
      bench_.wait(Millis(1));
    }
  }

  std::string bytes_of(const std::string& text, Line& to) {
    Words words = read_words(text, key_);
    for (Field& field : words.fields)
      if (field.value.size() > 1 && field.value[0] == '$' && bound_.contains(field.value)) field.value = bound_.at(field.value);
    if (words.name == "PUBACK" || words.name == "PUBCOMP" || (words.name == "PUBREC" && words.number("reason", 0) >= 0x80))
      to.in_use.erase(words.value("pid", ""));
    std::size_t times = words.number("times", 1);
    std::string out;
    for (; times > 0; --times) out += encode(words, level_);
    return out;
  }

  std::optional<Words> next(Line& from, Millis time) {
    Ear& ear = bench_.ear(from.connection);
    auto packet = take_packet(ear.bytes, from.level);
    if (!packet && !ear.ended) {
      bench_.listen(from.connection, time);
      packet = take_packet(ear.bytes, from.level);
    }
    return packet;
  }

  /// A PUBLISH takes a packet id that is unused: on one connection nothing is sent again, so none may come twice.
  static void note_id(Line& from, const Words& packet) {
    const std::string id = packet.value("pid", "");
    if (packet.name == "PUBLISH" && !id.empty() && !from.in_use.insert(id).second)
      throw Failure{"packet id " + id + " is still in use: " + write_words(packet)};
    if (packet.name == "PUBREL" && packet.number("reason", 0) < 0x80) from.in_use.insert(id);
  }

  /// The next packet; fails if none comes.
  Words must_come(const std::string& who, const std::string& wanted) {
    Line& from = line(who);
    if (!from.early.empty()) {
      Words first = from.early.front();
      from.early.erase(from.early.begin());
      return first;
    }
    for (int pieces = 0; pieces < 1000; ++pieces) {
      const std::size_t before = bench_.ear(from.connection).bytes.size();
      if (auto packet = next(from, patience_)) {
        story_.push_back(who + "< " + write_words(*packet));
        note_id(from, *packet);
        return *packet;
      }
      if (bench_.ear(from.connection).ended) throw Failure{who + " was closed; expected " + wanted};
      if (bench_.ear(from.connection).bytes.size() == before) break;
    }
    throw Failure{who + " heard nothing; expected " + wanted};
  }

  void expect(const std::string& who, const std::string& what) {
    const Words wanted = wanted_words(what);
    const Words got = must_come(who, what);
    const std::string difference = differs(wanted, got);
    if (!difference.empty()) throw Failure{who + " got " + write_words(got) + "\n  expected " + what + "\n  " + difference};
  }

  /// Among the packets that come now, in whatever order.
  void either(const std::string& who, const std::string& what) {
    const Words wanted = wanted_words(what);
    Line& from = line(who);
    for (auto it = from.early.begin(); it != from.early.end(); ++it) {
      if (!differs(wanted, *it).empty()) continue;
      from.early.erase(it);
      return;
    }
    std::vector<Words> others = std::exchange(from.early, {});
    while (true) {
      Words got = must_come(who, what);
      if (differs(wanted, got).empty()) break;
      others.push_back(std::move(got));
      if (others.size() > 100) throw Failure{who + " got a hundred packets, but not " + what};
    }
    from.early = std::move(others);
  }

  /// Nothing may have come, whole or in part, be the connection open or closed.
  void refuse_bytes(const std::string& who, Line& from, const std::string& wanted) {
    Ear& ear = bench_.ear(from.connection);
    if (ear.bytes.empty()) return;
    const auto packet = next(from, patience_);
    throw Failure{who + " got " + (packet ? write_words(*packet) : "a part of a packet") + "; expected " + wanted};
  }

  void expect_close(const std::string& who) {
    Line& from = line(who);
    if (!from.early.empty()) throw Failure{who + " got " + write_words(from.early.front()) + "; expected its end"};
    Ear& ear = bench_.ear(from.connection);
    for (Millis spent{0}; spent < patience_ && !ear.ended && ear.bytes.empty(); spent += Millis(100))
      bench_.listen(from.connection, Millis(100));
    refuse_bytes(who, from, "its end");
    if (!ear.ended) throw Failure{who + " is still open; expected its end"};
    lines_.erase(who);
  }

  void expect_nothing(const std::string& who, Millis time) {
    Line& from = line(who);
    bench_.listen(from.connection, time);
    if (!from.early.empty()) throw Failure{who + " got " + write_words(from.early.front()) + "; expected nothing"};
    refuse_bytes(who, from, "nothing");
    if (bench_.ear(from.connection).ended) throw Failure{who + " was closed; expected nothing"};
  }

  /// What a packet has of itself and need not be named: 0, or nothing. A property that is there was put there.
  static bool is_header(const std::string& name) {
    static const std::set<std::string> header{"present", "reason", "qos", "dup", "retain", "pid", "topic", "payload", "codes"};
    return header.contains(name);
  }
  static bool is_default(const Field& field) {
    return is_header(field.name) && (field.value.empty() || field.value == "0" || field.value == "0x00");
  }

  static std::vector<std::string> all(const Words& words, const std::string& name) {
    std::vector<std::string> out;
    for (const Field& field : words.fields)
      if (field.name == name) out.push_back(field.value);
    if (out.empty() && name == "reason") out.emplace_back("0x00");  // as a short packet means
    if (name == "subid") std::sort(out.begin(), out.end());         // in any order
    return out;
  }

  static bool is_variable(const std::string& value) { return value.size() > 1 && value[0] == '$'; }

  std::string differs(const Words& wanted, const Words& got) {
    if (wanted.name != got.name) return "another packet";
    for (const Field& field : got.fields)
      if (!wanted.has(field.name) && !is_default(field) && (!wanted.more || field.name == "reason"))
        return field.name + " was not expected";
    std::map<std::string, std::string> fresh;
    for (const Field& field : wanted.fields) {
      const auto expected = all(wanted, field.name);
      const auto values = all(got, field.name);
      if (field.value == "!") {
        if (!values.empty()) return field.name + " must not be there";
      } else if (field.value == "*" || is_variable(field.value)) {
        if (values.size() != expected.size()) return field.name + " is missing, or there too often";
        if (field.value == "*") continue;
        const auto known = bound_.find(field.value);
        if (known != bound_.end() && known->second != values[0]) return field.name + " is not " + known->second;
        fresh[field.value] = values[0];
      } else if (values.empty() ? !is_default(field) : values != expected) {
        return field.name + " differs";
      }
    }
    bound_.insert(fresh.begin(), fresh.end());
    return "";
  }

  /// A packet that is looked for; a name that no field has would never differ.
  Words wanted_words(const std::string& what) const {
    Words words = read_words(what, key_);
    for (const Field& field : words.fields)
      if (!is_header(field.name) && std::none_of(std::begin(properties), std::end(properties),
                                                 [&](const Property& property) { return field.name == property.name; }))
        throw Failure{"no field is called " + field.name};
    return words;
  }

  int level_;
  std::string key_;
  Millis patience_ = usual_patience;
  Bench& bench_;
  std::map<std::string, Line> lines_;
  std::map<std::string, std::string> bound_;
  std::vector<std::string> story_;
};

std::string id_of(const std::string& text) { return text.rfind("MQTT-", 0) == 0 ? text : "MQTT-" + text; }

std::vector<std::string> strings(const nlohmann::json& object, const char* name) {
  std::vector<std::string> out;
  if (object.contains(name))
    for (const auto& each : object.at(name)) out.push_back(id_of(each.get<std::string>()));
  return out;
}

Case read_case(const nlohmann::json& from, const std::string& file) {
  static const std::vector<std::string> known{"name", "levels", "shows", "shows4", "shows5", "config", "steps", "why"};
  for (const auto& [name, value] : from.items())
    if (std::find(known.begin(), known.end(), name) == known.end()) throw std::invalid_argument(file + ": unknown field " + name);
  Case out;
  out.name = from.at("name");
  out.file = file;
  out.levels = from.value("levels", std::vector<int>{4, 5});
  if (from.contains("config"))
    for (const auto& [name, value] : from.at("config").items())
      out.config[name] = value.is_string() ? value.get<std::string>() : value.dump();
  for (const auto& step : from.at("steps")) out.steps.push_back(step);
  out.shows4 = strings(from, "shows4");
  out.shows5 = strings(from, "shows5");
  for (const std::string& id : strings(from, "shows")) {
    out.shows4.push_back(id);
    out.shows5.push_back(id);
  }
  return out;
}

}  // namespace

std::vector<Case> read_cases(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Case> out;
  for (const auto& file : files)
    for (const auto& each : nlohmann::json::parse(std::ifstream(file), nullptr, true, true))
      out.push_back(read_case(each, file.filename().string()));
  return out;
}

std::string play(const Case& one, int level, const std::string& key, Bench& bench) {
  Player player(level, key, bench);
  std::size_t number = 0;
  for (const std::string& step : one.steps) {
    ++number;
    std::string what;
    try {
      player.step(step);
      continue;
    } catch (const Failure& failure) {
      what = failure.what;
    } catch (const std::exception& error) {
      what = error.what();
    }
    return one.file + ", " + one.name + ", level " + std::to_string(level) + ", step " + std::to_string(number) + " \"" + step +
           "\":\n  " + what + player.heard();
  }
  return "";
}

}  // namespace hf::conformance
