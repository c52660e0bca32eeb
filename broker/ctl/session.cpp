// One connection to a node, plain or by TLS.
#include "broker/ctl/session.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace hf::ctl {
namespace {

namespace asio = boost::asio;

tl::unexpected<Error> unreachable(const Url& url, const std::string& why) { return fail(Blame::peer, url.text() + ": " + why); }

tl::unexpected<Error> useless(const std::string& file, const std::string& what, const Session::Code& error) {
  return fail(Blame::user, file + ": no use as " + what + ": " + error.message());
}

}  // namespace

Result<void> Session::connect(const Url& url, const Security& security) {
  if (url.tls) {
    if (auto done = prepare_tls(url, security); !done) return done;
  }
  asio::ip::tcp::resolver resolver(context_);
  Code error;
  const auto endpoints = resolver.resolve(url.host, url.port, error);
  if (error) return unreachable(url, error.message());
  if (error = run_on(stream_, [&](auto& stream, auto done) { stream.async_connect(endpoints, done); }); error) {
    return unreachable(url, error.message());
  }
  if (!secure_) return {};
  error = run_on(*secure_, [](auto& stream, auto done) { stream.async_handshake(asio::ssl::stream_base::client, done); });
  if (!error) return {};
  const long verified = security.insecure ? X509_V_OK : SSL_get_verify_result(secure_->native_handle());
  if (verified != X509_V_OK) return unreachable(url, std::string("its certificate: ") + X509_verify_cert_error_string(verified));
  return unreachable(url, error.message());
}

Result<void> Session::prepare_tls(const Url& url, const Security& security) {
  Code error;
  SSL_CTX_set_min_proto_version(tls_.native_handle(), TLS1_2_VERSION);
  if (security.ca.empty()) {
    tls_.set_default_verify_paths(error);
  } else if (tls_.load_verify_file(security.ca, error); error) {
    return useless(security.ca, "an authority", error);
  }
  if (!security.certificate.empty()) {
    if (tls_.use_certificate_chain_file(security.certificate, error); error) return useless(security.certificate, "a certificate", error);
    if (tls_.use_private_key_file(security.key, asio::ssl::context::pem, error); error) {
      return useless(security.key, "the key of " + security.certificate, error);
    }
  }
  secure_.emplace(stream_, tls_);
  SSL* ssl = secure_->native_handle();
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl);
  // An address is in a certificate by itself; a name is told to the node too, which may have several.
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, url.host.c_str()) != 1) {
    X509_VERIFY_PARAM_set1_host(wanted, url.host.data(), url.host.size());
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set_tlsext_host_name(ssl, url.host.c_str());
  }
  ERR_clear_error();  // that it was no address
  secure_->set_verify_mode(security.insecure ? asio::ssl::verify_none : asio::ssl::verify_peer, error);
  return {};
}

}  // namespace hf::ctl
