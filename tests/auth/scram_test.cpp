// SCRAM-SHA-256: the vectors of RFC 7677, whole exchanges, and what a server must refuse.
#include "broker/auth/scram.hpp"

#include <gtest/gtest.h>

#include "broker/auth/base64.hpp"
#include "broker/auth/scram_exchange.hpp"
#include "tests/auth/scram_client.hpp"

namespace hf::auth {
namespace {

using Next = access::Exchange::Next;

// RFC 7677, section 3.
constexpr const char* rfc_salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
constexpr const char* rfc_nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string rfc_first = "n=user,r=rOprNGfwEbeRWgbNEkqO";
const std::string rfc_server_first = std::string("r=") + rfc_nonce + ",s=" + rfc_salt + ",i=4096";
const std::string rfc_final = std::string("c=biws,r=") + rfc_nonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

TEST(Scram, vectors_of_rfc_7677) {
  const auto verifier = ScramVerifier::of("pencil", *from_base64(rfc_salt), 4096);
  const auto first = ClientFirst::read("n,," + rfc_first);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->user, "user");
  EXPECT_EQ(first->bare, rfc_first);
  EXPECT_EQ(first->gs2, "n,,");
  const auto final = ClientFinal::read(rfc_final);
  ASSERT_TRUE(final);
  EXPECT_EQ(final->binding, "n,,");
  EXPECT_EQ(final->nonce, rfc_nonce);
  const auto signature =
      scram_signature(verifier, first->bare + "," + rfc_server_first + "," + final->without_proof, final->proof);
  ASSERT_TRUE(signature);
  EXPECT_EQ(to_base64(*signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  ScramClient client("user", "pencil", "rOprNGfwEbeRWgbNEkqO");
  EXPECT_EQ(client.last(rfc_server_first), rfc_final) << "the test's own client";
}

TEST(Scram, verifiers_as_text) {
  const auto verifier = ScramVerifier::of("pencil", "salt");
  const std::string text = "SCRAM-SHA-256$4096:" + to_base64("salt") + "$" + to_base64(verifier.stored_key) + ":" + to_base64(verifier.server_key);
  EXPECT_EQ(ScramVerifier::read(text), verifier);
  EXPECT_TRUE(verifier.fits("pencil"));
  EXPECT_FALSE(verifier.fits("pencils"));
  for (const char* bad : {"", "SCRAM-SHA-256$", "SCRAM-SHA-1$4096:c2FsdA==$x:y", "SCRAM-SHA-256$100:c2FsdA==$x:y", "SCRAM-SHA-256$4096:c2FsdA==$eA==:eQ=="})
    EXPECT_FALSE(ScramVerifier::read(bad)) << bad;
  EXPECT_FALSE(ScramVerifier::read(text + "=")) << "something behind it";
}

TEST(Scram, first_messages_that_are_refused) {
  EXPECT_TRUE(ClientFirst::read("y,,n=user,r=abc"));
  EXPECT_TRUE(ClientFirst::read("n,a=user,n=user,r=abc"));
  EXPECT_TRUE(ClientFirst::read("n,,n=user,r=abc,x=future"));
  EXPECT_EQ(ClientFirst::read("n,,n=a=2Cb=3Dc,r=abc")->user, "a,b=c");
  for (const char* bad : {"", "n", "n,,", "p=tls-unique,,n=user,r=abc", "x,,n=user,r=abc", "n,a=other,n=user,r=abc", "n,,m=x,n=user,r=abc",
                          "n,,n=,r=abc", "n,,n=user", "n,,n=user,r=", "n,,n=us=er,r=abc", "n,,n=us=2cer,r=abc", "n,,n=user,r=a b", "n,user,n=user,r=a"})
    EXPECT_FALSE(ClientFirst::read(bad)) << bad;
  EXPECT_FALSE(ClientFirst::read("n,,n=user,r=" + std::string(scram_message_max, 'a')));
}

TEST(Scram, last_messages_that_are_refused) {
  for (const char* bad : {"", "c=biws", "c=biws,r=abc", "r=abc,c=biws,p=eA==", "c=b!ws,r=abc,p=eA==", "c=biws,r=abc,p=x", "c=biws,p=eA=="})
    EXPECT_FALSE(ClientFinal::read(bad)) << bad;
}

class ScramTalk : public testing::Test {
 protected:
  ScramTalk() {
    auto users = std::make_shared<ScramUsers>("a secret of the process");
    users->add_password("ann", "secret");
    users->add("bob", ScramVerifier::of("hidden", std::string(12, 's'), 5000));
    users_ = users;
  }
  /// How an exchange ends.
  access::Exchange::Step talk(ScramClient client) const {
    ScramExchange exchange(users_, {1, 2, 3});
    const auto challenge = exchange.step(client.first());
    if (challenge.next != Next::client) return {};
    const auto answer = client.last(challenge.data);
    if (!answer) return {};
    auto end = exchange.step(*answer);
    if (end.next == Next::done) {
      EXPECT_TRUE(client.trusts(end.data));
    }
    return end;
  }
  std::shared_ptr<const ScramUsers> users_;
};

TEST_F(ScramTalk, proves_a_user) {
  const auto end = talk({"ann", "secret", "nonce"});
  EXPECT_EQ(end.next, Next::done);
  EXPECT_EQ(end.grant.user, "ann");
  EXPECT_TRUE(end.grant.listed);
  EXPECT_EQ(talk({"ann", "secret", "nonce", "y,,"}).next, Next::done) << "a client that could bind channels";
  EXPECT_EQ(talk({"bob", "hidden", "nonce"}).next, Next::done);
}

TEST_F(ScramTalk, refuses_others) {
  EXPECT_EQ(talk({"ann", "hidden", "nonce"}).next, Next::failed);
  EXPECT_EQ(talk({"eve", "secret", "nonce"}).next, Next::failed);
  EXPECT_EQ(talk({"eve", "", "nonce"}).next, Next::failed);
  EXPECT_EQ(talk({"ann", "secret", "nonce", "p=tls-exporter,,"}).next, Next::failed);
}

TEST_F(ScramTalk, does_not_tell_who_exists) {
  const auto shape = [&](const std::string& user, std::uint64_t draw) {
    ScramExchange exchange(users_, {draw, 0, 0});
    const std::string challenge = exchange.step("n,,n=" + user + ",r=x").data;
    return challenge.substr(challenge.find(",s="));
  };
  EXPECT_EQ(shape("eve", 1), shape("eve", 2)) << "the salt of nobody stays the same";
  EXPECT_NE(shape("eve", 1), shape("zoe", 1));
  EXPECT_EQ(shape("ann", 1), shape("ann", 2));
  bool as_ann = false, as_bob = false;
  for (int i = 0; i < 64; ++i) {
    const std::string one = shape("nobody" + std::to_string(i), 1);
    as_ann |= one.size() == shape("ann", 1).size() && one.ends_with(",i=4096");
    as_bob |= one.size() == shape("bob", 1).size() && one.ends_with(",i=5000");
  }
  EXPECT_TRUE(as_ann && as_bob) << "whatever users look like, some of nobody look the same";
}

TEST_F(ScramTalk, takes_no_message_of_another_exchange) {
  ScramClient client("ann", "secret", "nonce");
  ScramExchange one(users_, {1, 2, 3}), other(users_, {1, 2, 4});
  const auto answer = client.last(one.step(client.first()).data);
  ASSERT_TRUE(answer);
  ASSERT_EQ(other.step(client.first()).next, Next::client);
  EXPECT_EQ(other.step(*answer).next, Next::failed);
}

TEST_F(ScramTalk, refuses_a_header_that_was_changed_on_the_way) {
  ScramClient client("ann", "secret", "nonce", "y,,");
  ScramExchange exchange(users_, {1, 2, 3});
  const auto answer = client.last(exchange.step("n,,n=ann,r=nonce").data);
  ASSERT_TRUE(answer);
  EXPECT_EQ(exchange.step(*answer).next, Next::failed) << "somebody took the channel binding out";
}

TEST_F(ScramTalk, may_begin_with_the_server) {
  ScramClient client("ann", "secret", "nonce");
  ScramExchange exchange(users_, {1, 2, 3});
  const auto nothing = exchange.step("");
  EXPECT_EQ(nothing.next, Next::client);
  EXPECT_EQ(nothing.data, "");
  EXPECT_EQ(exchange.step(client.first()).next, Next::client);
  ScramExchange twice(users_, {1, 2, 3});
  EXPECT_EQ(twice.step("").next, Next::client);
  EXPECT_EQ(twice.step("").next, Next::failed);
}

}  // namespace
}  // namespace hf::auth
