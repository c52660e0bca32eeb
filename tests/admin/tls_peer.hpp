// The other end of a connection to the administration, that speaks TLS: OpenSSL's own, on bytes in memory.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tests/admin/peer.hpp"
#include "tests/support/authority.hpp"

namespace hf::admin {

class TlsPeer {
 public:
  /// `ours`: the certificate that is shown; none: none. Handshakes at once, in parts of `step` bytes.
  TlsPeer(Server& server, boost::asio::io_context& loop, const test_support::Issued* ours = nullptr, std::size_t step = 1U << 20U)
      : peer_(server, loop), context_(SSL_CTX_new(TLS_client_method())), step_(step) {
    if (ours != nullptr) {
      EXPECT_EQ(SSL_CTX_use_certificate_chain_file(context_, ours->certificate.c_str()), 1);
      EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context_, ours->key.c_str(), SSL_FILETYPE_PEM), 1);
    }
    ssl_ = SSL_new(context_);
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_);
    pump();
  }
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;
  ~TlsPeer() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }

  void send(std::string_view text) {
    EXPECT_EQ(SSL_write(ssl_, text.data(), static_cast<int>(text.size())), static_cast<int>(text.size()));
    pump();
  }
  /// Past TLS.
  void raw(std::string_view bytes) { peer_.send(bytes); }
  /// What has come so far.
  std::string take() {
    pump();
    return std::exchange(got_, {});
  }
  /// The end of the stream has come.
  bool ended() {
    pump();
    return peer_.ended();
  }
  /// By close_notify, before.
  [[nodiscard]] bool notified() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }
  /// The alert that came, in OpenSSL's words.
  [[nodiscard]] const std::string& alert() const { return alert_; }
  /// The other end's subject.
  [[nodiscard]] std::string node() const {
    char* text = X509_NAME_oneline(X509_get_subject_name(SSL_get0_peer_certificate(ssl_)), nullptr, 0);
    std::string name = text;
    OPENSSL_free(text);
    return name;
  }

 private:
  void pump() {
    for (int quiet = 0; quiet < 3; ++quiet) {
      char part[4096];
      ERR_clear_error();
      const int got = SSL_read(ssl_, part, sizeof part);  // the handshake, if it is not done
      if (got > 0) got_.append(part, static_cast<std::size_t>(got));
      if (SSL_get_error(ssl_, got) == SSL_ERROR_SSL) alert_ = ERR_reason_error_string(ERR_get_error());
      for (int out = BIO_read(SSL_get_wbio(ssl_), part, sizeof part); out > 0; out = BIO_read(SSL_get_wbio(ssl_), part, sizeof part)) {
        for (std::string_view rest(part, static_cast<std::size_t>(out)); !rest.empty(); rest.remove_prefix(std::min(step_, rest.size()))) {
          peer_.send(rest.substr(0, step_));
        }
        quiet = 0;
      }
      const std::string in = peer_.take();
      if (!in.empty()) BIO_write(SSL_get_rbio(ssl_), in.data(), static_cast<int>(in.size()));
      if (!in.empty() || got > 0) quiet = 0;
    }
  }

  Peer peer_;
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  std::size_t step_;
  std::string got_, alert_;
};

}  // namespace hf::admin
