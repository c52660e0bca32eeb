// A certificate authority for tests, made by the openssl command in a temporary directory.
#include "tests/support/authority.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace hf::test_support {
namespace {

constexpr const char* new_key = " -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ";

}  // namespace

Authority::Authority(const std::string& name) {
  std::string pattern = (std::filesystem::temp_directory_path() / "hf-authority-XXXXXX").string();
  directory_ = ::mkdtemp(pattern.data());
  std::ofstream(directory_ + "/index.txt");
  std::ofstream(directory_ + "/serial") << "1000\n";
  std::ofstream(directory_ + "/crlnumber") << "01\n";
  std::ofstream(directory_ + "/ca.conf") << "[ca]\ndefault_ca=d\n[d]\ndir=" << directory_
                                         << "\ndatabase=$dir/index.txt\nserial=$dir/serial\ncrlnumber=$dir/crlnumber\n"
                                            "new_certs_dir=$dir\ncertificate=$dir/ca.pem\nprivate_key=$dir/ca.key\n"
                                            "default_md=sha256\ndefault_days=30\ndefault_crl_days=30\nunique_subject=no\n"
                                            "policy=p\n[p]\ncommonName=supplied\norganizationName=optional\n"
                                            "[leaf]\nbasicConstraints=CA:FALSE\n"
                                            "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
  openssl("req -x509 -days 30 -subj '/CN=" + name + "'" + new_key + "-keyout ca.key -out ca.pem");
}

Authority::~Authority() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Issued Authority::issue(const std::string& common_name, Valid valid) {
  const std::string stem = "c" + std::to_string(++issued_);
  openssl("req -subj '/O=Holdfast tests/CN=" + common_name + "'" + new_key + "-keyout " + stem + ".key -out " + stem + ".csr");
  const std::string dates = valid == Valid::now ? "" : " -startdate 200101000000Z -enddate 200201000000Z";
  openssl("ca -batch -notext -config ca.conf -extensions leaf" + dates + " -in " + stem + ".csr -out " + stem + ".pem");
  return {directory_ + "/" + stem + ".pem", directory_ + "/" + stem + ".key"};
}

void Authority::revoke(const Issued& issued) { openssl("ca -config ca.conf -revoke " + issued.certificate); }

std::string Authority::revoked() {
  openssl("ca -config ca.conf -gencrl -out revoked.pem");
  return directory_ + "/revoked.pem";
}

void Authority::openssl(const std::string& arguments) const {
  const std::string command = "cd " + directory_ + " && openssl " + arguments + " >>openssl.log 2>&1";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

}  // namespace hf::test_support
