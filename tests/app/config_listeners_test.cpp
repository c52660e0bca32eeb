// Listeners in the configuration: what they take from elsewhere, what is wrong with them, and that they read back.
#include "broker/app/config_listeners.hpp"

#include <gtest/gtest.h>

namespace hf::app {
namespace {

Result<Settings> read(std::string_view json) {
  Settings settings;
  if (auto done = apply_text(settings, json, "t.json"); !done) return tl::make_unexpected(done.error());
  if (auto done = complete(settings); !done) return tl::make_unexpected(done.error());
  return settings;
}

std::string error_of(std::string_view json) {
  const auto settings = read(json);
  return settings ? "" : settings.error().text;
}

const char* const all_kinds = R"({"listen.bind": "127.0.0.1", "listeners": [
  {"name": "plain"},
  {"name": "secure", "tls": {"certificate": "c.pem", "key": "k.pem"}},
  {"name": "strict", "port": 8885, "max_connections": 5, "bind": "::1",
   "tls": {"certificate": "c.pem", "key": "k.pem", "ca": "a.pem", "crl": "r.pem", "client_certificate": "required",
           "user_from": "subject", "min_version": "1.3", "ciphers": "ECDHE+AESGCM", "ciphersuites": "TLS_AES_128_GCM_SHA256"}},
  {"name": "ws", "protocol": "websocket", "path": "/other"},
  {"name": "wss", "protocol": "websocket", "tls": {"certificate": "c.pem", "key": "k.pem"}},
  {"name": "proxy", "port": 1885, "proxy_protocol": true, "anonymous": true},
  {"name": "local", "unix": "/tmp/x.sock", "unix_mode": "0640"}],
  "cluster": {"tls": {"certificate": "c.pem", "key": "k.pem", "ca": "a.pem"}}})";

TEST(Listeners, have_the_ports_of_their_kind) {
  const auto settings = read(all_kinds);
  ASSERT_TRUE(settings) << settings.error().text;
  const auto listeners = listeners_of(*settings);
  ASSERT_EQ(listeners.size(), 7U);
  EXPECT_EQ(listeners[0].port, 1883);
  EXPECT_EQ(listeners[0].bind, "127.0.0.1");
  EXPECT_EQ(listeners[1].port, 8883);
  EXPECT_EQ(listeners[2].bind, "::1");
  EXPECT_EQ(listeners[2].tls->user_from, wrapping::UserFrom::subject);
  EXPECT_EQ(listeners[3].port, 8083);
  EXPECT_EQ(listeners[3].path, "/other");
  EXPECT_EQ(listeners[4].port, 8084);
  EXPECT_EQ(listeners[4].path, "/mqtt");
  EXPECT_TRUE(listeners[5].proxy_protocol);
  EXPECT_EQ(listeners[6].unix_mode, 0640U);
  EXPECT_EQ(settings->auth.anonymous_at, (auth::AnonymousAt{{"proxy", auth::Anonymous::anybody}}));
  EXPECT_EQ(peer_tls_of(*settings)->ca, "a.pem");
}

TEST(Listeners, without_a_list_there_is_one) {
  const auto settings = read(R"({"listen.port": 1884})");
  ASSERT_TRUE(settings);
  const auto listeners = listeners_of(*settings);
  ASSERT_EQ(listeners.size(), 1U);
  EXPECT_EQ(listeners[0].port, 1884);
  EXPECT_EQ(listeners[0].name, "");
  EXPECT_FALSE(peer_tls_of(*settings));
}

TEST(Listeners, are_printed_as_they_are_read) {
  const auto settings = read(all_kinds);
  ASSERT_TRUE(settings);
  const auto again = read(print(*settings));
  ASSERT_TRUE(again) << again.error().text;
  EXPECT_EQ(print(*again), print(*settings));
  EXPECT_TRUE(differences(*settings, *again).empty());
}

TEST(Listeners, mistakes_are_named_by_path) {
  struct Case {
    const char* json;
    const char* error;
  };
  for (const Case& each : std::initializer_list<Case>{
           {R"({"listeners": {}})", "t.json: listeners is {}; expected a list of at most 1000 listeners"},
           {R"({"listeners": [5]})", "t.json: listeners[0] is 5; expected an object: {...}"},
           {R"({"listeners": [{}]})", "t.json: listeners[0] is {}; expected a \"name\""},
           {R"({"listeners": [{"name": "a", "port": 0}]})",
            "t.json: listeners[0].port is 0; expected a whole number from 1 to 65535"},
           {R"({"listeners": [{"name": "a"}, {"name": "b", "tls": {"certificate": 5}}]})",
            "t.json: listeners[1].tls.certificate is 5; expected a path"},
           {R"({"listeners": [{"name": "a", "tls": {"certificate": "c", "keys": "k"}}]})",
            "t.json: listeners[0].tls.keys (unknown field) is \"k\"; expected \"key\", the nearest known field"},
           {R"({"listeners": [{"name": "a", "tls": {"certificate": "c"}}]})",
            "t.json: listeners[0].tls is {\"certificate\":\"c\"}; expected a \"key\""},
           {R"({"listeners": [{"name": "a", "protocol": "http"}]})",
            "t.json: listeners[0].protocol is \"http\"; expected \"mqtt\" or \"websocket\""},
           {R"({"listeners": [{"name": "a", "bind": "localhost"}]})",
            "t.json: listeners[0].bind is \"localhost\"; expected a numeric IPv4 or IPv6 address, such as \"0.0.0.0\""},
           {R"({"listeners": [{"name": "a", "unix_mode": "0999", "unix": "/x"}]})",
            "t.json: listeners[0].unix_mode is \"0999\"; expected permissions in octal, such as \"0660\""},
           {R"({"listeners": [{"name": "a"}, {"name": "a", "port": 5}]})", "listeners: the name \"a\" is there twice"},
           {R"({"listeners": [{"name": "a"}, {"name": "b"}]})", "listeners: 0.0.0.0 port 1883 is there twice"},
           {R"({"listeners": [{"name": "a", "port": 7946}]})", "listen.peer_port is 7946 at 0.0.0.0; expected another port than the port of listener 'a' (at 0.0.0.0)"},
           {R"({"listeners": [{"name": "a", "bind": "127.0.0.1", "port": 8081}, {"name": "b", "bind": "127.0.0.2", "port": 8081}]})",
            "admin.port is 8081 at 127.0.0.1; expected another port than the port of listener 'a' (at 127.0.0.1)"},
           {R"({"listeners": [{"name": "a", "bind": "::", "port": 5}, {"name": "b", "bind": "10.0.0.1", "port": 5}]})",
            "the port of listener 'b' is 5 at 10.0.0.1; expected another port than the port of listener 'a' (at ::)"},
           {R"({"listeners": [{"name": "a", "bind": "::1", "port": 5}, {"name": "b", "bind": "0.0.0.0", "port": 5}], "admin": {"enabled": false, "port": 5}})", ""},
           {R"({"cluster.tls.certificate": "c"})", "cluster.tls: expected certificate, key and ca, all of them or none"}}) {
    EXPECT_EQ(error_of(each.json), each.error);
  }
  for (const char* each : {R"({"listeners": [{"name": "a", "unix": "/x", "port": 5}]})",
                           R"({"listeners": [{"name": "a", "unix_mode": "0600"}]})", R"({"listeners": [{"name": "a", "path": "/x"}]})",
                           R"({"listeners": [{"name": "a", "protocol": "websocket", "path": "x"}]})",
                           R"({"listeners": [{"name": "a", "tls": {"certificate": "c", "key": "k", "crl": "r"}}]})",
                           R"({"listeners": [{"name": "a", "tls": {"certificate": "c", "key": "k", "user_from": "subject"}}]})",
                           R"({"listeners": [{"name": "a", "tls": {"certificate": "c", "key": "k", "client_certificate": "required"}}]})",
                           R"({"listeners": [{"name": "a", "proxy_protocol": "yes"}]})",
                           R"({"listeners": [{"name": "a", "anonymous": "yes"}]})",
                           R"({"listeners": [{"name": "a\u0000b"}]})", R"({"listeners": [{"name": "a", "max_connections": -1}]})"}) {
    EXPECT_EQ(error_of(each).rfind("t.json: listeners[0]", 0), 0U) << each << " -> " << error_of(each);
  }
}

TEST(Listeners, of_a_reload_only_tls_is_taken_over) {
  auto running = read(all_kinds);
  auto fresh = running;
  fresh->listeners[1].tls->certificate = "new.pem";
  fresh->listeners[1].port = 9999;
  fresh->peer_tls.crl = "new-crl.pem";
  fresh->listeners[0].tls = wrapping::TlsSettings{};
  take_over_tls(*running, *fresh);
  EXPECT_EQ(running->listeners[1].tls->certificate, "new.pem");
  EXPECT_EQ(running->peer_tls.crl, "new-crl.pem");
  EXPECT_EQ(running->listeners[1].port, 8883);
  EXPECT_FALSE(running->listeners[0].tls) << "TLS comes and goes by a restart only";
  EXPECT_EQ(differences(*running, *fresh), (std::vector<std::string>{"listeners[0].tls", "listeners[1].port"}));
}

}  // namespace
}  // namespace hf::app
