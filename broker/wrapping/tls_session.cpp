// OpenSSL over a BIO of our own: it reads the bytes at hand and appends to the caller's text. Nothing is kept between
// calls but what OpenSSL holds of a record that is not whole.
#include "broker/wrapping/tls_session.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "broker/base/assert.hpp"
#include "broker/wrapping/tls_identity.hpp"

namespace hf::wrapping {

struct MemoryBio {
  static TlsSession& session(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* target, int size) {
    std::string_view& in = session(bio).in_;
    BIO_clear_retry_flags(bio);
    if (in.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t count = std::min(in.size(), static_cast<std::size_t>(size));
    std::memcpy(target, in.data(), count);
    in.remove_prefix(count);
    return static_cast<int>(count);
  }
  static int write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    session(bio).out_->append(bytes, static_cast<std::size_t>(size));
    return size;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "holdfast memory");
      BIO_meth_set_read(m, read);
      BIO_meth_set_write(m, write);
      BIO_meth_set_ctrl(m, control);
      return m;
    }();
    return made;
  }
};

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, End end)
    : context_(std::move(context)), ssl_(SSL_new(context_->get())) {
  HF_ASSERT(ssl_ != nullptr);
  BIO* bio = BIO_new(MemoryBio::method());
  HF_ASSERT(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  end == End::server ? SSL_set_accept_state(ssl_) : SSL_set_connect_state(ssl_);
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

void TlsSession::receive(std::string_view bytes, std::string& up, std::string& down) {
  ERR_clear_error();
  in_ = bytes;
  out_ = &down;
  if (state_ == State::shaking) shake();
  std::array<char, 16 * 1024> plain;
  while (state_ == State::open) {
    const int got = SSL_read(ssl_, plain.data(), static_cast<int>(plain.size()));
    if (got > 0) {
      up.append(plain.data(), static_cast<std::size_t>(got));
      continue;
    }
    const int error = SSL_get_error(ssl_, got);
    if (error == SSL_ERROR_WANT_READ) break;
    if (error == SSL_ERROR_ZERO_RETURN) {
      state_ = State::ended;
    } else {
      failed();
    }
  }
  in_ = {};
  out_ = nullptr;
}

void TlsSession::shake() {
  const int done = SSL_do_handshake(ssl_);
  if (done == 1) return handshake_done();
  if (SSL_get_error(ssl_, done) != SSL_ERROR_WANT_READ) failed();
}

void TlsSession::handshake_done() {
  X509* certificate = context_->user_from() == UserFrom::none ? nullptr : SSL_get0_peer_certificate(ssl_);
  if (certificate != nullptr) {
    auto name = user_name(certificate, context_->user_from());
    if (!name) {
      state_ = State::failed;
      why_ = "a certificate without a user name";
      return;
    }
    identity_ = std::move(*name);
  }
  state_ = State::open;
  was_open_ = true;
}

void TlsSession::failed() {
  state_ = State::failed;
  const long verified = SSL_get_verify_result(ssl_);
  if (verified != X509_V_OK) {
    why_ = X509_verify_cert_error_string(verified);
  } else {
    const unsigned long code = ERR_peek_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    why_ = reason == nullptr ? "broken TLS" : reason;
  }
  ERR_clear_error();
}

void TlsSession::send(std::string_view bytes, std::string& down) {
  ERR_clear_error();
  out_ = &down;
  while ((state_ == State::open || state_ == State::ended) && !bytes.empty()) {
    const int part = static_cast<int>(std::min<std::size_t>(bytes.size(), 16 * 1024));
    const int wrote = SSL_write(ssl_, bytes.data(), part);
    if (wrote <= 0) {
      failed();  // the next receive() finds it
      break;
    }
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  out_ = nullptr;
}

void TlsSession::close(std::string& down) {
  if (state_ != State::open && state_ != State::ended) return;
  ERR_clear_error();
  out_ = &down;
  static_cast<void>(SSL_shutdown(ssl_));
  ERR_clear_error();
  out_ = nullptr;
}

}  // namespace hf::wrapping
