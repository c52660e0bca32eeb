// A user name out of a certificate.
#include "broker/wrapping/tls_identity.hpp"

#include <algorithm>

#include <openssl/bio.h>
#include <openssl/x509.h>

namespace hf::wrapping {
namespace {

std::optional<std::string> common_name(const X509_NAME* subject) {
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return std::nullopt;
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return std::nullopt;
  std::string name(text, text + size);
  OPENSSL_free(text);
  return name;
}

std::string whole(const X509_NAME* subject) {
  BIO* bio = BIO_new(BIO_s_mem());
  // RFC 2253, with UTF-8 left as it is.
  X509_NAME_print_ex(bio, subject, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string name(text, text + size);
  BIO_free(bio);
  return name;
}

}  // namespace

std::optional<std::string> user_name(X509* certificate, UserFrom from) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const auto name = from == UserFrom::subject ? whole(subject) : common_name(subject);
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  if (!name || name->empty() || name->size() > 65535 || std::any_of(name->begin(), name->end(), control)) return std::nullopt;
  return name;
}

}  // namespace hf::wrapping
