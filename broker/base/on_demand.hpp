// What most of its owners leave empty: a pointer until it is written to.
#pragma once

#include <cstddef>
#include <memory>

namespace hf {

/// A `T` with `empty()`, made when it is first written to. Read through `*` and `->`, written through `edit()`.
template <class T>
class OnDemand {
 public:
  OnDemand() = default;
  OnDemand(const OnDemand& other) : value_(other->empty() ? nullptr : std::make_unique<T>(*other)) {}
  OnDemand(OnDemand&&) noexcept = default;
  OnDemand& operator=(const OnDemand& other) { return *this = OnDemand(other); }
  OnDemand& operator=(OnDemand&&) noexcept = default;
  ~OnDemand() = default;

  const T& operator*() const { return value_ ? *value_ : none; }
  const T* operator->() const { return &**this; }
  T& edit() {
    if (!value_) value_ = std::make_unique<T>();
    return *value_;
  }
  /// Gives the memory back if there is nothing in it.
  void tidy() {
    if (value_ && value_->empty()) value_.reset();
  }

 private:
  inline static const T none{};
  std::unique_ptr<T> value_;
};

/// A map that reads like the one it stands for. Iterators into an empty one do not outlive the first `edit()`.
template <class Map>
class SparseMap {
 public:
  using key_type = typename Map::key_type;
  using const_iterator = typename Map::const_iterator;

  [[nodiscard]] const_iterator begin() const { return map_->begin(); }
  [[nodiscard]] const_iterator end() const { return map_->end(); }
  [[nodiscard]] bool empty() const { return map_->empty(); }
  [[nodiscard]] std::size_t size() const { return map_->size(); }
  template <class Key>
  [[nodiscard]] const_iterator find(const Key& key) const { return map_->find(key); }
  template <class Key>
  [[nodiscard]] const_iterator lower_bound(const Key& key) const { return map_->lower_bound(key); }
  template <class Key>
  [[nodiscard]] const_iterator upper_bound(const Key& key) const { return map_->upper_bound(key); }
  template <class Key>
  [[nodiscard]] bool contains(const Key& key) const { return map_->contains(key); }
  template <class Key>
  [[nodiscard]] const auto& at(const Key& key) const { return map_->at(key); }

  Map& edit() { return map_.edit(); }
  void tidy() { map_.tidy(); }

 private:
  OnDemand<Map> map_;
};

}  // namespace hf
