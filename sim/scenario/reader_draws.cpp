// Draws in a scenario file: resolved in place, or kept as a distribution.
#include <algorithm>

#include "sim/scenario/reader.hpp"
#include "sim/scenario/units.hpp"

namespace hf::sim {

namespace {

bool is_draw(const Json& value) {
  return value.is_object() && (value.contains("uniform") || value.contains("exp") ||
                               value.contains("one_of") || value.contains("chance"));
}

/// Complains about fields that this kind of draw does not have.
void only(const Json& draw, const std::vector<std::string>& names, const std::string& path) {
  for (const auto& [name, unused] : draw.items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw ParseFailure{path + "." + name, "unknown field of a draw"};
    }
  }
}

void check_pair(const Json& draw, const std::string& path) {
  const Json& pair = draw["uniform"];
  if (!pair.is_array() || pair.size() != 2) {
    throw ParseFailure{path + ".uniform", "must be [low, high]"};
  }
}

std::uint32_t chance_of(const Json& draw, const std::string& path) {
  const Json& chance = draw["chance"];
  const double real = chance.is_number() ? chance.get<double>() : -1.0;
  if (!(real >= 0.0 && real <= 1.0)) {
    throw ParseFailure{path + ".chance", "must be a probability 0 .. 1"};
  }
  return static_cast<std::uint32_t>(real * 1e9 + 0.5);
}

std::int64_t duration_of(const Json& value, const std::string& path) {
  const auto parsed = value.is_string() ? parse_duration(value.get<std::string>()) : std::nullopt;
  if (!parsed) throw ParseFailure{path, "must be a duration such as \"250ms\""};
  return *parsed;
}

std::int64_t exponential_of(const Json& draw, DrawSequence& draws, const std::string& path) {
  Drawn drawn;
  drawn.kind = Drawn::Kind::exponential;
  drawn.a = duration_of(draw["exp"], path + ".exp");
  if (draw.contains("max")) drawn.b = duration_of(draw["max"], path + ".max");
  return drawn.draw(draws);
}

Json uniform_of(const Json& draw, DrawSequence& draws, const std::string& path) {
  check_pair(draw, path);
  const Json& low = draw["uniform"][0];
  const Json& high = draw["uniform"][1];
  Drawn drawn;
  drawn.kind = Drawn::Kind::uniform;
  const auto ordered = [&] {
    if (drawn.a > drawn.b) throw ParseFailure{path + ".uniform", "low is above high"};
  };
  if (low.is_number_integer() && high.is_number_integer()) {
    drawn.a = low.get<std::int64_t>();
    drawn.b = high.get<std::int64_t>();
    ordered();
    return drawn.draw(draws);
  }
  if (low.is_number() && high.is_number()) {  // a probability, in parts per billion
    const double a = low.get<double>(), b = high.get<double>();
    if (!(a >= 0.0 && b <= 1.0)) throw ParseFailure{path + ".uniform", "must lie in 0 .. 1"};
    drawn.a = static_cast<std::int64_t>(a * 1e9 + 0.5);
    drawn.b = static_cast<std::int64_t>(b * 1e9 + 0.5);
    ordered();
    return static_cast<double>(drawn.draw(draws)) / 1e9;
  }
  drawn.a = duration_of(low, path + ".uniform[0]");
  drawn.b = duration_of(high, path + ".uniform[1]");
  ordered();
  return show_duration(drawn.draw(draws));
}

}  // namespace

void Reader::resolve(Json& value, const std::string& key, std::string_view name) {
  const std::string path = (path_.empty() ? "" : path_ + ".") + std::string(name);
  DrawSequence draws(mix64(hash64(key, seed_)));
  for (int depth = 0; is_draw(value); ++depth) {
    if (depth == 8) throw ParseFailure{path, "draws nested too deep"};
    Json drawn;
    if (value.contains("uniform")) {
      only(value, {"uniform"}, path);
      drawn = uniform_of(value, draws, path);
    } else if (value.contains("exp")) {
      only(value, {"exp", "max"}, path);
      drawn = show_duration(exponential_of(value, draws, path));
    } else if (value.contains("one_of")) {
      only(value, {"one_of"}, path);
      const Json& choices = value["one_of"];
      if (!choices.is_array() || choices.empty()) {
        throw ParseFailure{path + ".one_of", "must be a list, not empty"};
      }
      drawn = choices[draws.below(choices.size())];
    } else {
      only(value, {"chance", "value", "else"}, path);
      if (!value.contains("value")) throw ParseFailure{path, "a chance needs a \"value\""};
      if (draws.chance(chance_of(value, path))) {
        drawn = value["value"];
      } else if (value.contains("else")) {
        drawn = value["else"];
      }
    }
    value = drawn;
  }
}

Drawn Reader::drawn(std::string_view name, Drawn otherwise,
                    const std::function<std::int64_t(const Json&)>& unit) {
  Json* value = find(name);
  if (value == nullptr) return otherwise;
  const std::string path = (path_.empty() ? "" : path_ + ".") + std::string(name);
  Drawn result;
  if (!is_draw(*value)) return Drawn::fixed(unit(*value));
  if (value->contains("uniform")) {
    only(*value, {"uniform"}, path);
    check_pair(*value, path);
    result.kind = Drawn::Kind::uniform;
    result.a = unit((*value)["uniform"][0]);
    result.b = unit((*value)["uniform"][1]);
    if (result.a > result.b) throw ParseFailure{path + ".uniform", "low is above high"};
  } else if (value->contains("exp")) {
    only(*value, {"exp", "max"}, path);
    result.kind = Drawn::Kind::exponential;
    result.a = unit((*value)["exp"]);
    if (value->contains("max")) result.b = unit((*value)["max"]);
  } else if (value->contains("one_of")) {
    only(*value, {"one_of"}, path);
    const Json& choices = (*value)["one_of"];
    if (!choices.is_array() || choices.empty()) {
      throw ParseFailure{path + ".one_of", "must be a list, not empty"};
    }
    result.kind = Drawn::Kind::one_of;
    for (const auto& choice : choices) result.values.push_back(unit(choice));
  } else {
    only(*value, {"chance", "value", "else"}, path);
    if (!value->contains("value") || !value->contains("else")) {
      throw ParseFailure{path, "a chance needs \"value\" and \"else\""};
    }
    result.kind = Drawn::Kind::chance;
    result.chance_ppb = chance_of(*value, path);
    result.a = unit((*value)["value"]);
    result.b = unit((*value)["else"]);
  }
  return result;
}

Drawn Reader::drawn_duration(std::string_view name, Drawn otherwise, Duration low) {
  return drawn(name, std::move(otherwise), [&](const Json& value) {
    const auto parsed = value.is_string() ? parse_duration(value.get<std::string>()) : std::nullopt;
    if (!parsed) fail(name, "must be a duration such as \"250ms\"");
    if (*parsed < low.count()) {
      fail(name, value.get<std::string>() + " is below " + show_duration(low.count()));
    }
    return *parsed;
  });
}

Drawn Reader::drawn_number(std::string_view name, Drawn otherwise, std::int64_t low, std::int64_t high) {
  return drawn(name, std::move(otherwise), [&](const Json& value) {
    if (!value.is_number_integer()) fail(name, "must be a whole number");
    const auto number = value.get<std::int64_t>();
    if (number < low || number > high) {
      fail(name, std::to_string(number) + " is out of range " + std::to_string(low) + " .. " +
                     std::to_string(high));
    }
    return number;
  });
}

}  // namespace hf::sim
