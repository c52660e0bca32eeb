// TLS of a connection: its handshake, who the other end is by it, and its good-bye. A refusal is a line in the log.
#include <chrono>

#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream_base.hpp>
#include <boost/beast/core/error.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "broker/admin/connection.hpp"
#include "broker/base/assert.hpp"
#include "broker/wrapping/tls_identity.hpp"

namespace hf::admin {
namespace {

namespace asio = boost::asio;

/// Why a handshake failed; "": the other end went away, as one does that only tries whether the port is open.
std::string reason_of(const boost::system::error_code& error, const SSL* ssl) {
  if (error == boost::beast::error::timeout) return "no TLS handshake in time";
  if (error.category() != asio::error::get_ssl_category()) return "";
  const long verified = SSL_get_verify_result(ssl);
  if (verified != X509_V_OK) return X509_verify_cert_error_string(verified);
  const char* reason = ERR_reason_error_string(static_cast<unsigned long>(error.value()));
  return reason == nullptr ? "broken TLS" : reason;
}

/// The common name in the other end's certificate; nothing: it has shown none.
std::optional<std::string> certified_name(const SSL* ssl) {
  X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return std::nullopt;
  return wrapping::user_name(certificate, wrapping::UserFrom::common_name).value_or("");
}

}  // namespace

void Connection::shake_hands() {
  SSL* ssl = SSL_new(shared_.tls->get());
  HF_ASSERT(ssl != nullptr);
  secure_.emplace(stream_, ssl);
  stream_.expires_after(shared_.limits.handshake_time);
  secure_->async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](Code error) { self->on_handshake(error); });
}

void Connection::on_handshake(Code error) {
  if (!error) {
    certificate_ = certified_name(secure_->native_handle());
    return read();
  }
  const std::string why = reason_of(error, secure_->native_handle());
  if (!why.empty()) shared_.administration.refused(Refusal::handshake, remote_, why);
  hang_up();
}

/// close_notify, whatever becomes of it: an answer that ends without could have been cut short by anybody.
void Connection::say_goodbye() {
  stream_.expires_after(shared_.limits.farewell_time);
  secure_->async_shutdown([self = shared_from_this()](Code) { self->hang_up(); });
}

}  // namespace hf::admin
