// Settings to an SSL_CTX. What OpenSSL finds wrong becomes a sentence with the file's name.
#include "broker/wrapping/tls_context.hpp"

#include <ctime>
#include <system_error>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace hf::wrapping {
namespace {

// Forward secrecy and authenticated encryption only. TLS 1.3 has nothing else.
constexpr const char* default_ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:!PSK:!aNULL";

/// The first thing OpenSSL complained of; its queue is empty then.
std::string complaint() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  // OpenSSL has no words for what the system says: a file that is not there, or may not be read.
  if (ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "no valid PEM" : reason;
}

tl::unexpected<Error> useless(const std::string& file, const std::string& what) {
  return fail(Blame::user, file + ": no use as " + what + ": " + complaint());
}

/// OpenSSL would ask the terminal for a pass phrase.
int no_pass_phrase(char*, int, int, void*) { return 0; }

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned int offered_size, void* ours) {
  const auto& alpn = *static_cast<const std::string*>(ours);
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, chosen_size, reinterpret_cast<const unsigned char*>(alpn.data()),
                            static_cast<unsigned int>(alpn.size()), offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;  // a client that offers other names only is not turned away
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Result<std::shared_ptr<const TlsContext>> TlsContext::server(const TlsSettings& settings, const std::string& protocol) {
  std::shared_ptr<TlsContext> made(new TlsContext);
  made->context_ = SSL_CTX_new(TLS_server_method());
  if (auto done = made->load(settings); !done) return tl::make_unexpected(done.error());
  made->ask_for_certificates(settings.client_certificate);
  made->alpn_ = static_cast<char>(protocol.size()) + protocol;
  SSL_CTX_set_alpn_select_cb(made->context_, choose_protocol, &made->alpn_);
  return made;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const TlsSettings& settings) {
  std::shared_ptr<TlsContext> made(new TlsContext);
  made->context_ = SSL_CTX_new(TLS_client_method());
  if (auto done = made->load(settings); !done) return tl::make_unexpected(done.error());
  SSL_CTX_set_verify(made->context_, SSL_VERIFY_PEER, nullptr);
  return made;
}

Result<void> TlsContext::load(const TlsSettings& settings) {
  ERR_clear_error();
  if (context_ == nullptr) return fail(Blame::ours, "TLS: no memory");
  SSL_CTX_set_min_proto_version(context_, settings.min_version == TlsVersion::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Idle connections give their buffers back.
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(context_, no_pass_phrase);
  SSL_CTX_set_max_cert_list(context_, 32 * 1024);
  user_from_ = settings.user_from;
  if (auto done = choose_ciphers(settings); !done) return done;
  if (SSL_CTX_use_certificate_chain_file(context_, settings.certificate.c_str()) != 1) {
    return useless(settings.certificate, "a certificate");
  }
  if (SSL_CTX_use_PrivateKey_file(context_, settings.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return useless(settings.key, "the key of " + settings.certificate);
  }
  if (SSL_CTX_check_private_key(context_) != 1) return useless(settings.key, "the key of " + settings.certificate);
  std::tm end{};
  ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(context_)), &end);
  expires_ = ::timegm(&end);
  if (auto done = load_authority(settings); !done) return done;
  return load_revoked(settings.crl);
}

Result<void> TlsContext::choose_ciphers(const TlsSettings& settings) {
  const std::string ciphers = settings.ciphers.empty() ? default_ciphers : settings.ciphers;
  if (SSL_CTX_set_cipher_list(context_, ciphers.c_str()) != 1) {
    return fail(Blame::user, "TLS: ciphers \"" + ciphers + "\": " + complaint());
  }
  if (!settings.ciphersuites.empty() && SSL_CTX_set_ciphersuites(context_, settings.ciphersuites.c_str()) != 1) {
    return fail(Blame::user, "TLS: ciphersuites \"" + settings.ciphersuites + "\": " + complaint());
  }
  return {};
}

Result<void> TlsContext::load_authority(const TlsSettings& settings) {
  if (settings.ca.empty()) return {};
  if (SSL_CTX_load_verify_file(context_, settings.ca.c_str()) != 1) return useless(settings.ca, "an authority");
  // The names that a client is told of, so that it can choose among its certificates.
  SSL_CTX_set_client_CA_list(context_, SSL_load_client_CA_file(settings.ca.c_str()));
  ERR_clear_error();
  return {};
}

Result<void> TlsContext::load_revoked(const std::string& file) {
  if (file.empty()) return {};
  BIO* bio = BIO_new_file(file.c_str(), "r");
  if (bio == nullptr) return useless(file, "a revocation list");
  X509_STORE* store = SSL_CTX_get_cert_store(context_);
  int lists = 0;
  bool good = true;
  while (X509_CRL* list = PEM_read_bio_X509_CRL(bio, nullptr, no_pass_phrase, nullptr)) {
    good = X509_STORE_add_crl(store, list) == 1 && good;
    X509_CRL_free(list);
    ++lists;
  }
  BIO_free(bio);
  if (!good || lists == 0) return useless(file, "a revocation list");
  ERR_clear_error();  // the end of the file
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  return {};
}

void TlsContext::ask_for_certificates(ClientCertificate wish) {
  if (wish == ClientCertificate::none) return;
  const int required = wish == ClientCertificate::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | required, nullptr);
  // A resumed session is not verified again: what was revoked in the meantime would still come in.
  SSL_CTX_set_options(context_, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context_, 0);
}

}  // namespace hf::wrapping
