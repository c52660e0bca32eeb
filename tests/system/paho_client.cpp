// A client nobody here wrote: Paho MQTT C++, wrapped for tests. It keeps its session when it moves to another node.
#include "tests/system/paho_client.hpp"

#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>

#include <mqtt/async_client.h>

namespace hf::system_tests {
namespace {

constexpr std::chrono::seconds patience{15};

template <class Token>
void finish(const Token& token, const char* what) {
  if (!token->wait_for(patience)) throw std::runtime_error(std::string(what) + ": no answer");
}

}  // namespace

struct PahoClient::Parts : mqtt::callback {
  Parts(const std::string& id, Speaks version)
      : client("tcp://127.0.0.1:1", id, mqtt::create_options(version == Speaks::v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1)) {
    client.set_callback(*this);
  }
  void message_arrived(mqtt::const_message_ptr message) override {
    const std::lock_guard lock(mutex);
    payloads.push_back(message->to_string());
  }
  std::mutex mutex;
  std::vector<std::string> payloads;
  mqtt::async_client client;
};

PahoClient::PahoClient(std::string id, bool clean, Speaks version)
    : id_(std::move(id)), clean_(clean), version_(version), parts_(std::make_unique<Parts>(id_, version)) {}

PahoClient::~PahoClient() {
  try {
    if (connected()) parts_->client.disconnect(100)->wait_for(std::chrono::seconds(2));
  } catch (const std::exception&) {
  }
}

bool PahoClient::connect(std::uint16_t port) { return connect("tcp://127.0.0.1:" + std::to_string(port), {}); }

bool PahoClient::connect(const std::string& uri, const Tls& tls) {
  mqtt::connect_options options;
  if (!tls.ca.empty()) {
    mqtt::ssl_options ssl;
    ssl.set_trust_store(tls.ca);
    if (!tls.certificate.empty()) ssl.set_key_store(tls.certificate);
    if (!tls.key.empty()) ssl.set_private_key(tls.key);
    ssl.set_enable_server_cert_auth(true);
    ssl.set_verify(true);
    options.set_ssl(ssl);
  }
  if (version_ == Speaks::v5) {
    options.set_mqtt_version(MQTTVERSION_5);
    options.set_clean_start(clean_);
    if (!clean_) options.set_properties({{mqtt::property::SESSION_EXPIRY_INTERVAL, 3600}});
  } else {
    options.set_mqtt_version(MQTTVERSION_3_1_1);
    options.set_clean_session(clean_);
  }
  options.set_connect_timeout(5);
  options.set_keep_alive_interval(20);
  options.set_max_inflight(200);
  options.set_servers(mqtt::string_collection::create({uri}));
  const auto token = parts_->client.connect(options);
  finish(token, "CONNECT");
  return token->get_connect_response().is_session_present();
}

bool PahoClient::connect_patiently(std::uint16_t port, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    try {
      return connect(port);
    } catch (const std::exception&) {
      if (std::chrono::steady_clock::now() > end) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
}

void PahoClient::disconnect() { finish(parts_->client.disconnect(), "DISCONNECT"); }
bool PahoClient::connected() const { return parts_->client.is_connected(); }

void PahoClient::subscribe(const std::string& filter, int qos) {
  finish(parts_->client.subscribe(filter, qos), "SUBSCRIBE");
}

void PahoClient::publish(const std::string& topic, const std::string& payload, int qos, bool retain) {
  finish(parts_->client.publish(topic, payload.data(), payload.size(), qos, retain), "PUBLISH");
}

void PahoClient::publish_soon(const std::string& topic, const std::string& payload, int qos) {
  parts_->client.publish(topic, payload.data(), payload.size(), qos, false);
}

std::vector<std::string> PahoClient::received() const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->payloads;
}

std::size_t PahoClient::count(const std::string& payload) const {
  const std::lock_guard lock(parts_->mutex);
  return static_cast<std::size_t>(
      std::count(parts_->payloads.begin(), parts_->payloads.end(), payload));
}

std::size_t PahoClient::total() const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->payloads.size();
}

}  // namespace hf::system_tests
