// The history by message, receipt and connection: names become numbers, everything found in log n.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/check/history.hpp"

namespace hf::sim {

constexpr std::size_t no_event = static_cast<std::size_t>(-1);
constexpr std::uint32_t no_id = 0xffffffffU;

/// One application message, named by its payload: (publisher, number).
struct Message {
  std::uint32_t publisher = no_id;
  std::uint64_t number = 0;
  std::uint32_t topic = no_id;
  std::vector<std::size_t> sends;  ///< publish_sent, ascending; empty: seen received only (a will)
  std::size_t acked = no_event;    ///< first publish_acked
  std::size_t acked_send = no_event;  ///< the send before it on the same connection
};

struct Receipt {
  std::size_t event = no_event;
  std::uint32_t client = no_id, message = no_id;
  std::uint32_t session = 0;  ///< sessions of a client, as the client counts them
};

struct Connection {
  std::uint32_t client = no_id;
  std::uint64_t number = 0;
  bool clean = false;
  std::uint32_t session = 0;
  std::size_t sent = no_event, connected = no_event, refused = no_event, disconnected = no_event;
  std::size_t replaced = no_event;  ///< connect_sent of the client's next connection
  std::size_t left = no_event;      ///< read for its end only from then on
};

struct Client {
  std::string id;
  bool listed = false, persistent = true, draining = true;
  std::vector<std::size_t> connections;                 ///< indices, in order of connect_sent
  std::map<std::uint32_t, std::size_t> first_receipts;  ///< message -> event
};

/// Invariants: I1 all vectors are in event order. I2 a client's session number grows at every
/// connect_sent with clean start, every connected without session present and every DISCONNECT that
/// ends it; a receipt belongs to the session of its connection, so the late deliveries of a
/// connection taken over stay in theirs.
class Index {
 public:
  explicit Index(const History& history);

  [[nodiscard]] const std::vector<Client>& clients() const { return clients_; }
  [[nodiscard]] const std::vector<Message>& messages() const { return messages_; }
  [[nodiscard]] const std::vector<Receipt>& receipts() const { return receipts_; }
  [[nodiscard]] const std::vector<Connection>& connections() const { return connections_; }
  [[nodiscard]] const std::vector<std::string>& topics() const { return topics_; }

  [[nodiscard]] std::uint32_t client_of(std::size_t event) const { return client_of_[event]; }
  /// Topic or filter of an event.
  [[nodiscard]] std::uint32_t topic_of(std::size_t event) const { return topic_of_[event]; }
  [[nodiscard]] std::uint32_t message_of(std::size_t event) const { return message_of_[event]; }
  /// Index of the connection a client's event happened on, or no_event.
  [[nodiscard]] std::size_t connection_of(std::size_t event) const;
  [[nodiscard]] std::size_t first_receipt(std::uint32_t client, std::uint32_t message) const;

 private:
  using Names = std::map<std::string, std::uint32_t, std::less<>>;
  std::uint32_t client_id(const std::string& name);
  std::uint32_t message_id(std::uint32_t publisher, std::uint64_t number);
  void publishing(const History& history, std::size_t e);
  void connecting(const History& history, std::size_t e);
  void receiving(const History& history, std::size_t e);

  Names client_names_, topic_names_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint32_t> message_names_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::size_t> connection_names_;
  std::vector<Client> clients_;
  std::vector<Message> messages_;
  std::vector<Receipt> receipts_;
  std::vector<Connection> connections_;
  std::vector<std::string> topics_;
  std::vector<std::uint32_t> client_of_, topic_of_, message_of_;
  std::vector<std::uint64_t> connection_number_of_;
  std::vector<std::uint32_t> session_, sessions_made_;  // per client: now, and how many were made
};

}  // namespace hf::sim
