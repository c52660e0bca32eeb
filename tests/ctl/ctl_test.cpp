// What holdfast-ctl prints and how it exits, against a node of canned answers; addresses, tables, units.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "broker/ctl/commands.hpp"
#include "broker/ctl/human.hpp"
#include "broker/ctl/table.hpp"
#include "broker/ctl/token.hpp"

namespace hf::ctl {
namespace {

/// Answers one connection after the other with what it was given, and notes what was asked.
class Canned {
 public:
  explicit Canned(std::vector<std::string> answers) : handle_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(handle_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(handle_, 4), 0);
    EXPECT_EQ(::getsockname(handle_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    url = {"127.0.0.1", std::to_string(ntohs(address.sin_port))};
    thread_ = std::thread([this, answers = std::move(answers)] {
      for (const auto& answer : answers) {
        const int one = ::accept(handle_, nullptr, nullptr);
        char part[4096];
        const auto got = ::recv(one, part, sizeof part, 0);
        asked.append(part, got > 0 ? static_cast<std::size_t>(got) : 0);
        static_cast<void>(::send(one, answer.data(), answer.size(), MSG_NOSIGNAL));
        ::close(one);
      }
    });
  }
  Canned(const Canned&) = delete;
  Canned& operator=(const Canned&) = delete;
  ~Canned() {
    ::shutdown(handle_, SHUT_RDWR);
    thread_.join();
    ::close(handle_);
  }
  Url url;
  std::string asked;

 private:
  int handle_;
  std::thread thread_;
};

std::string http(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

struct Said {
  int status;
  std::string out, complaints;
};
template <class Call>
Said run(const Url& url, bool json, Call call) {
  std::ostringstream out, complaints;
  const Client client(url, "secret", {}, 2s);
  Commands commands(client, json, out, complaints);
  const int status = call(commands);
  return {status, out.str(), complaints.str()};
}

TEST(Ctl, prints_a_table_of_all_pages) {
  const std::string first = R"({"items":[{"client":"a","user":"","remote":"192.0.2.1:4","protocol":"5.0","connected_ms":0,"silent_ms":1500,
      "in_flight_out":1234,"unsent_bytes":2048}],"next":"x%2Fy"})";
  const std::string second = "{\"items\":[{\"client\":\"b\\u001b[2J\",\"user\":\"ann\",\"remote\":\"r\",\"protocol\":\"3.1.1\"}]}";
  Canned node({http("200 OK", first), http("200 OK", second)});
  const Said said = run(node.url, false, [](Commands& c) { return c.clients(); });
  EXPECT_EQ(said.status, exit_yes) << said.complaints;
  EXPECT_EQ(said.out, "CLIENT    USER  REMOTE       MQTT   SINCE                    SILENT  IN FLIGHT   UNSENT\n"
                      "a         -     192.0.2.1:4  5.0    1970-01-01 00:00:00 UTC      1s      1,234  2.0 KiB\n"
                      "b\\x1b[2J  ann   r            3.1.1  1970-01-01 00:00:00 UTC     0ms          0      0 B\n");
  EXPECT_NE(node.asked.find("GET /api/v1/clients?limit=1000&after=x%2Fy HTTP/1.1"), std::string::npos);
  EXPECT_NE(node.asked.find("Authorization: Bearer secret"), std::string::npos);
}

TEST(Ctl, tells_no_from_trouble) {
  const std::string error = R"({"error": {"code": "client", "message": "no such\u0007 client"}})";
  Canned node({http("404 Not Found", error), http("409 Conflict", error), http("401 Unauthorized", error), http("500 Oops", "<html>"),
               http("200 OK", R"({"node": 1, "safe": false, "why": ["slot 3"]})"), http("200 OK", R"({"node": 1, "safe": true, "why": []})"),
               "SSH-2.0-OpenSSH\r\n", http("200 OK", "[]")});
  const auto show = [&] { return run(node.url, false, [](Commands& c) { return c.client("a/b"); }); };
  const Said no = show();
  EXPECT_EQ(no.status, exit_no);
  EXPECT_EQ(no.complaints, "holdfast-ctl: no such\\x07 client\n");
  EXPECT_EQ(show().status, exit_no);
  EXPECT_EQ(show().status, exit_unreachable);
  EXPECT_EQ(show().complaints, "holdfast-ctl: status 500\n");
  const Said unsafe = run(node.url, false, [](Commands& c) { return c.safe_to_stop(); });
  EXPECT_EQ(unsafe.status, exit_no);
  EXPECT_EQ(unsafe.out, "node 1 should not be stopped:\n  slot 3\n");
  EXPECT_EQ(run(node.url, true, [](Commands& c) { return c.safe_to_stop(); }).status, exit_yes);
  EXPECT_EQ(show().status, exit_unreachable);
  EXPECT_EQ(show().status, exit_unreachable);
  EXPECT_NE(node.asked.find("GET /api/v1/clients/a%2Fb "), std::string::npos);
}

TEST(Ctl, a_trace_is_printed_line_by_line) {
  Canned node({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
               "12\r\n{\"tracing\":\"a\"}\n{\"\r\n"
               "41\r\ntime_ms\":1500,\"direction\":\"in\",\"packet\":\"PUBLISH a\"}\n{\"lost\":12}\n\r\n0\r\n\r\n"});
  const Said said = run(node.url, false, [](Commands& c) { return c.trace("a b"); });
  EXPECT_EQ(said.status, exit_yes) << said.complaints;
  EXPECT_EQ(said.out, "00:00:01.500  <- PUBLISH a\n(12 packets not shown: too many for this connection)\n");
  EXPECT_NE(node.asked.find("GET /api/v1/trace?client=a%20b "), std::string::npos);
}

TEST(Ctl, what_turns_a_terminal_is_not_printed_raw) {
  const std::string one = "{\"items\":[{\"client\":\"a\xe2\x80\xae" "b\xe2\x80\xa8" "c\xe2\x80\x8e\",\"user\":\"\xc3\xbc\",\"remote\":\"\x7f\",\"protocol\":\"5.0\"}]}";
  const std::string packet = "{\"time_ms\":1,\"direction\":\"in\",\"packet\":\"PUBLISH \xe2\x80\xae\"}\n";
  const std::string trace = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + packet;
  for (const bool json : {false, true}) {
    Canned node({http("200 OK", one), trace});
    const std::string list = run(node.url, json, [](Commands& c) { return c.clients(); }).out;
    const std::string lines = run(node.url, json, [](Commands& c) { return c.trace("x"); }).out;
    EXPECT_NE(list.find("a\\u202eb\\u2028c\\u200e"), std::string::npos) << list;
    EXPECT_NE(list.find("\xc3\xbc"), std::string::npos) << list;
    EXPECT_NE(lines.find("PUBLISH \\u202e"), std::string::npos) << lines;
    EXPECT_EQ(list.find('\x7f'), std::string::npos) << list;
  }
}

TEST(Ctl, nobody_there) {
  const Said said = run({"127.0.0.1", "1"}, false, [](Commands& c) { return c.status(); });
  EXPECT_EQ(said.status, exit_unreachable);
  EXPECT_EQ(said.complaints, "holdfast-ctl: http://127.0.0.1:1: Connection refused\n");
}

TEST(Ctl, files_that_are_no_use_are_named) {
  const auto complaint = [](const Security& security) {
    std::ostringstream out, complaints;
    const Client client({"127.0.0.1", "1", true}, "", security);
    EXPECT_EQ(Commands(client, false, out, complaints).status(), exit_usage);
    return complaints.str();
  };
  EXPECT_EQ(complaint({"/nowhere/ca.pem", "", ""}), "holdfast-ctl: /nowhere/ca.pem: no use as an authority: No such file or directory\n");
  EXPECT_EQ(complaint({"", "/nowhere/c.pem", "/nowhere/k.pem"}), "holdfast-ctl: /nowhere/c.pem: no use as a certificate: No such file or directory\n");
}

TEST(Url, is_taken_apart) {
  EXPECT_EQ(parse_url("http://127.0.0.1:8081")->authority(), "127.0.0.1:8081");
  EXPECT_EQ(parse_url("http://node.example/")->authority(), "node.example:8081");
  EXPECT_EQ(parse_url("http://[::1]:99")->authority(), "[::1]:99");
  EXPECT_EQ(parse_url("http://[::1]:99")->host, "::1");
  EXPECT_EQ(parse_url("http://[::1]:99")->text(), "http://[::1]:99");
  EXPECT_EQ(parse_url("https://node.example")->text(), "https://node.example:8081");
  for (const char* here : {"http://127.0.0.1", "https://127.1.2.3:1", "http://[::1]", "http://localhost"}) EXPECT_TRUE(parse_url(here)->is_loopback()) << here;
  for (const char* there : {"http://10.0.0.1", "http://127.example", "http://127.0.0.1.example", "http://localhost.example", "http://[::2]"}) {
    EXPECT_FALSE(parse_url(there)->is_loopback()) << there;
  }
  for (const char* bad : {"", "127.0.0.1:8081", "https:/x", "ftp://x", "http://", "https://", "http://:80", "http://x:", "http://x:port", "http://x:123456", "http://[::1", "http://[::1]8",
                          "http://x/path", "http://a@b"}) {
    EXPECT_FALSE(parse_url(bad)) << bad;
  }
}

TEST(Token, of_this_machine_is_shown_to_nodes_that_are_sure_only) {
  const std::string file = testing::TempDir() + "hf-ctl-token-" + std::to_string(::getpid());
  std::ofstream(file) << "0123456789abcdef\r\nand more\n";
  const auto token = [&](const char* url, bool insecure = false) {
    return token_of_machine(*parse_url(url), {.ca = "", .certificate = "", .key = "", .insecure = insecure}, file);
  };
  EXPECT_EQ(token("http://127.0.0.1:8081"), "0123456789abcdef");
  EXPECT_EQ(token("https://localhost:8081", true), "0123456789abcdef");
  EXPECT_EQ(token("https://node.example"), "0123456789abcdef");
  EXPECT_EQ(token("https://node.example", true), "") << "nobody has proved to be that node";
  EXPECT_EQ(token("http://node.example"), "") << "anybody on the way could read it";
  std::remove(file.c_str());
  EXPECT_EQ(token("http://127.0.0.1:8081"), "") << "there is none";
}

TEST(Table, aligns_by_characters) {
  Table table({"NAME", "N>"});
  table.row({"\xc3\xa4\xc3\xb6", "1"});
  table.row({"long name", "1,000"});
  EXPECT_EQ(table.text(), "NAME           N\n\xc3\xa4\xc3\xb6             1\nlong name  1,000\n");
  EXPECT_EQ(shown("a\x1b]0;x\x07\xc2\x9b\xc3\xa4\n\x7f"), "a\\x1b]0;x\\x07\\u009b\xc3\xa4\\x0a\\x7f");
}

TEST(Human, units) {
  EXPECT_EQ(count(0), "0");
  EXPECT_EQ(count(999), "999");
  EXPECT_EQ(count(1'234'567), "1,234,567");
  EXPECT_EQ(bytes(1023), "1023 B");
  EXPECT_EQ(bytes(1536), "1.5 KiB");
  EXPECT_EQ(bytes(std::uint64_t{1} << 62U), "4096.0 PiB");
  EXPECT_EQ(duration_s(59), "59s");
  EXPECT_EQ(duration_s(60), "1m");
  EXPECT_EQ(duration_s(7385), "2h 3m");
  EXPECT_EQ(duration_s(200'000), "2d 7h");
  EXPECT_EQ(duration_ms(999), "999ms");
  EXPECT_EQ(time_of(1'795'743'000'123), "2026-11-27 01:30:00 UTC");
}

}  // namespace
}  // namespace hf::ctl
