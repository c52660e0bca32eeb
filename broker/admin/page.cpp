// The status page: one file, embedded by CMake from page/status.html.
#include "broker/admin/page.hpp"

#include <array>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "broker/admin/asked.hpp"

namespace hf::admin {
namespace {

std::string digest_of(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 4 * ((SHA256_DIGEST_LENGTH + 2) / 3) + 1> base64{};
  const int size = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
  return "'sha256-" + std::string(reinterpret_cast<const char*>(base64.data()), static_cast<std::size_t>(size)) + "'";
}

std::string_view between(std::string_view text, std::string_view begin, std::string_view end) {
  const auto first = text.find(begin) + begin.size();
  return text.substr(first, text.find(end, first) - first);
}

}  // namespace

const std::string& page_policy() {
  static const std::string policy = "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src " +
                                    digest_of(between(status_page(), "<script>", "</script>")) + "; style-src " +
                                    digest_of(between(status_page(), "<style>", "</style>"));
  return policy;
}

void Administration::page(Asked& asked) {
  Reply reply;
  reply.type = "text/html; charset=utf-8";
  reply.body = status_page();
  reply.fields.emplace_back("Content-Security-Policy", page_policy());
  reply.fields.emplace_back("Referrer-Policy", "no-referrer");
  asked.respond(std::move(reply));
}

}  // namespace hf::admin
