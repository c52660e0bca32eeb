// The contract of env::Environment as tests: streams, storage, time. Run by every implementation.
#include "tests/env/contract.hpp"

namespace hf::contract {
namespace {

std::string numbered(std::size_t n) {
  std::string text = std::to_string(n);
  return std::string(6 - std::min<std::size_t>(6, text.size()), '0') + text;
}

}  // namespace

TEST_P(EnvironmentContract, bytes_arrive_complete_and_in_order_both_ways) {
  Probe& a = boot(0);
  Probe& b = boot(1);
  const auto [near, far] = join(a, b, 1);
  EXPECT_EQ(b.streams[far].kind, env::StreamKind::peer);
  std::string there, back;
  for (std::size_t turn = 0; turn < 20; ++turn) {
    act(a, [&, stream = near](env::Environment& e) {
      for (std::size_t i = 0; i < 50; ++i) {
        const std::string text = numbered(turn * 50 + i) + std::string(i * 7, 'x');
        there += text;
        e.send(stream, Bytes(text));
      }
    });
    act(b, [&, stream = far](env::Environment& e) {
      const std::string text = "answer " + numbered(turn);
      back += text;
      e.send(stream, Bytes(text));
    });
  }
  EXPECT_TRUE(run([&, n = near, f = far] {
    return b.streams[f].bytes.size() == there.size() && a.streams[n].bytes.size() == back.size();
  }));
  EXPECT_EQ(b.streams[far].bytes, there);
  EXPECT_EQ(a.streams[near].bytes, back);
}

TEST_P(EnvironmentContract, bytes_sent_before_connected_are_kept) {
  Probe& a = boot(0);
  Probe& b = boot(1);
  StreamId stream = 0;
  act(a, [&](env::Environment& e) {
    stream = e.dial(world_->address(1));
    EXPECT_NE(stream, 0U);
    e.send(stream, Bytes("early "));
    e.send(stream, Bytes("bird"));
  });
  EXPECT_TRUE(run([&] { return !b.accepted.empty() && b.streams[b.accepted[0]].bytes.size() == 10; }));
  EXPECT_EQ(b.streams[b.accepted.at(0)].bytes, "early bird");
  EXPECT_EQ(a.streams[stream].connected, 1);
}

TEST_P(EnvironmentContract, the_end_that_accepts_may_speak_first) {
  Probe& a = boot(0);
  Probe& b = boot(1);
  b.when_accepted = [&](StreamId stream) {
    b.environment().send(stream, Bytes("welcome"));
  };
  std::vector<StreamId> dialled;
  act(a, [&](env::Environment& e) {
    for (int i = 0; i < 20; ++i) dialled.push_back(e.dial(world_->address(1)));
  });
  EXPECT_TRUE(run([&] {
    return std::all_of(dialled.begin(), dialled.end(),
                       [&](StreamId id) { return a.streams[id].bytes == "welcome"; });
  }));
}

TEST_P(EnvironmentContract, a_reader_that_pauses_holds_the_writer_back) {
  constexpr std::size_t chunk = 64 * 1024;
  constexpr std::size_t total = 512 * chunk;  // more than any transport buffers by itself
  Probe& a = boot(0);
  Probe& b = boot(1);
  const auto [near, far] = join(a, b, 1);
  act(b, [stream = far](env::Environment& e) { e.pause_reading(stream, true); });
  act(a, [stream = near](env::Environment& e) {
    const Bytes bytes(std::string(chunk, 'p'));
    for (std::size_t sent = 0; sent < total; sent += chunk) e.send(stream, bytes);
    EXPECT_GT(e.unsent(stream), env::writable_mark);
  });
  settle(1s);
  EXPECT_EQ(b.streams[far].bytes.size(), 0U);
  EXPECT_EQ(a.streams[near].writable, 0);
  act(a, [stream = near](env::Environment& e) { EXPECT_GT(e.unsent(stream), env::writable_mark); });

  act(b, [stream = far](env::Environment& e) { e.pause_reading(stream, false); });
  EXPECT_TRUE(run([&, n = near, f = far] {
    return b.streams[f].bytes.size() == total && a.streams[n].writable == 1;
  }));
  EXPECT_EQ(b.streams[far].bytes.size(), total);
  EXPECT_EQ(a.streams[near].writable, 1);
  act(a, [stream = near](env::Environment& e) { EXPECT_EQ(e.unsent(stream), 0U); });
}

TEST_P(EnvironmentContract, close_with_flush_delivers_everything_then_ends) {
  constexpr std::size_t size = 3'000'000;
  Probe& a = boot(0);
  Probe& b = boot(1);
  const auto [near, far] = join(a, b, 1);
  act(b, [stream = far](env::Environment& e) { e.send(stream, Bytes("unread by the closer")); });
  act(a, [&, stream = near](env::Environment& e) {
    e.send(stream, Bytes(std::string(size, 'f')));
    a.close(stream, true);
    e.send(stream, Bytes("after the end"));
  });
  EXPECT_TRUE(run([&, f = far] { return !b.streams[f].closed.empty(); }));
  EXPECT_EQ(b.streams[far].bytes.size(), size);
  EXPECT_EQ(b.streams[far].closed, std::vector{env::CloseReason::ended});
}

TEST_P(EnvironmentContract, close_without_flush_resets) {
  Probe& a = boot(0);
  Probe& b = boot(1);
  const auto [near, far] = join(a, b, 1);
  act(a, [&, stream = near](env::Environment&) { a.close(stream, false); });
  EXPECT_TRUE(run([&, f = far] { return !b.streams[f].closed.empty(); }));
  EXPECT_EQ(b.streams[far].closed, std::vector{env::CloseReason::reset});
}

TEST_P(EnvironmentContract, no_event_of_a_stream_follows_its_close) {
  Probe& a = boot(0);
  Probe& b = boot(1);
  for (const bool flush : {true, false}) {
    const auto [near, far] = join(a, b, 1);
    act(b, [stream = far](env::Environment& e) {
      for (int i = 0; i < 100; ++i) e.send(stream, Bytes(std::string(1000, 'n')));
    });
    act(a, [&, stream = near](env::Environment&) { a.close(stream, flush); });
    settle();  // the probe checks that nothing of `near` comes
    EXPECT_TRUE(run([&, f = far] { return !b.streams[f].closed.empty(); }));
    EXPECT_TRUE(a.streams[near].closed.empty());
  }
}

TEST_P(EnvironmentContract, calls_on_ended_or_unknown_streams_are_ignored) {
  Probe& a = boot(0);
  Probe& b = boot(1);
  const auto [near, far] = join(a, b, 1);
  act(a, [&, stream = near](env::Environment&) { a.close(stream, true); });
  EXPECT_TRUE(run([&, f = far] { return !b.streams[f].closed.empty(); }));
  const auto poke = [](env::Environment& e, StreamId stream) {
    e.send(stream, Bytes("nobody"));
    e.pause_reading(stream, true);
    e.pause_reading(stream, false);
    EXPECT_EQ(e.unsent(stream), 0U);
    e.close(stream, false);
    e.close(stream, true);
  };
  act(b, [&, stream = far](env::Environment& e) { poke(e, stream); });
  act(a, [&, stream = near](env::Environment& e) {
    poke(e, stream);
    poke(e, 0);
    poke(e, 0xFFFF'FFFF'FFFF);
  });
  settle();
}

TEST_P(EnvironmentContract, a_dial_where_nothing_listens_is_refused) {
  Probe& a = boot(0);
  StreamId stream = 0;
  act(a, [&](env::Environment& e) {
    stream = e.dial(world_->nowhere());
    e.send(stream, Bytes("lost"));
  });
  EXPECT_NE(stream, 0U);
  EXPECT_TRUE(run([&] { return !a.streams[stream].closed.empty(); }));
  EXPECT_EQ(a.streams[stream].closed, std::vector{env::CloseReason::refused});
  EXPECT_EQ(a.streams[stream].connected, 0);
}

TEST_P(EnvironmentContract, a_dial_can_be_closed_before_its_answer) {
  Probe& a = boot(0);
  Probe& b = boot(1);
  act(a, [&](env::Environment& e) { a.close(e.dial(world_->nowhere()), false); });
  act(a, [&](env::Environment& e) { a.close(e.dial(world_->address(1)), false); });
  settle();  // the probe checks that nothing comes
  const auto [near, far] = join(a, b, 1);  // and the process is none the worse
  EXPECT_NE(near, 0U);
  EXPECT_NE(far, 0U);
}

TEST_P(EnvironmentContract, the_death_of_a_process_ends_its_streams_and_refuses_new_ones) {
  Probe& a = boot(0);
  Probe& b = boot(1);
  const auto [near, far] = join(a, b, 1);
  static_cast<void>(far);
  const std::string address = world_->address(1);
  world_->stop(1);
  EXPECT_TRUE(run([&, n = near] { return !a.streams[n].closed.empty(); }));
  StreamId again = 0;
  act(a, [&](env::Environment& e) { again = e.dial(address); });
  EXPECT_TRUE(run([&] { return !a.streams[again].closed.empty(); }));
  EXPECT_EQ(a.streams[again].closed, std::vector{env::CloseReason::refused});
  EXPECT_NE(again, near);
}

TEST_P(EnvironmentContract, commits_complete_in_order) {
  constexpr env::CommitId count = 500;
  Probe& a = boot(0);
  env::CommitId next = 1;
  while (next <= count) {
    act(a, [&](env::Environment& e) {
      for (int i = 0; i < 25; ++i, ++next) {
        env::Batch batch;
        batch.put("key", std::to_string(next));
        e.commit(std::move(batch), next);
      }
    });
  }
  EXPECT_TRUE(run([&] { return a.commits.size() == count; }));
  for (env::CommitId i = 0; i < a.commits.size(); ++i) {
    EXPECT_EQ(a.commits[i].first, i + 1);
    EXPECT_EQ(a.commits[i].second, env::CommitStatus::done);
  }
  EXPECT_EQ(read(a, "", "z", 10), (std::vector<env::Row>{{"key", std::to_string(count)}}));
}

TEST_P(EnvironmentContract, an_empty_batch_completes) {
  Probe& a = boot(0);
  EXPECT_EQ(commit(a, {}, 7), env::CommitStatus::done);
}

TEST_P(EnvironmentContract, what_is_committed_survives_the_process) {
  Probe& a = boot(0);
  env::Batch batch;
  batch.put(std::string("\0binary\xff", 8), std::string("\0\1\2", 3));
  batch.put("empty", "");
  ASSERT_EQ(commit(a, std::move(batch), 1), env::CommitStatus::done);
  world_->stop(0);
  Probe& again = boot(0);
  const auto rows = read(again, "", "\xff\xff", 10);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].key, std::string("\0binary\xff", 8));
  EXPECT_EQ(rows[0].value, std::string("\0\1\2", 3));
  EXPECT_EQ(rows[1], (env::Row{"empty", ""}));
}

TEST_P(EnvironmentContract, disks_are_apart) {
  Probe& a = boot(0);
  Probe& b = boot(1);
  env::Batch batch;
  batch.put("mine", "1");
  ASSERT_EQ(commit(a, std::move(batch), 1), env::CommitStatus::done);
  EXPECT_TRUE(read(b, "", "z", 10).empty());
}

TEST_P(EnvironmentContract, a_batch_is_there_whole_or_not_at_all) {
  constexpr std::size_t count = 200;
  Probe& a = boot(0);
  act(a, [](env::Environment& e) {
    for (std::size_t i = 0; i < count; ++i) {
      env::Batch batch;
      batch.put("a" + numbered(i), std::string(100, 'a'));
      batch.put("b" + numbered(i), std::string(100, 'b'));
      e.commit(std::move(batch), i + 1);
    }
  });
  const std::size_t completed = a.commits.size();
  world_->stop(0);
  Probe& again = boot(0);
  const auto left = read(again, "a", "b", 10 * count);
  const auto right = read(again, "b", "c", 10 * count);
  ASSERT_EQ(left.size(), right.size());
  EXPECT_GE(left.size(), completed);
  for (std::size_t i = 0; i < left.size(); ++i) {
    EXPECT_EQ(left[i].key.substr(1), right[i].key.substr(1));
    EXPECT_EQ(left[i].key, "a" + numbered(i)) << "a later commit without an earlier one";
  }
}

TEST_P(EnvironmentContract, changes_of_a_batch_apply_in_order) {
  Probe& a = boot(0);
  env::Batch batch;
  batch.put("k", "1");
  batch.erase("k");
  batch.put("k", "2");
  batch.put("gone", "1");
  batch.erase("gone");
  batch.put("r1", "before");
  batch.erase_range("r", "s");
  batch.put("r2", "after");
  ASSERT_EQ(commit(a, std::move(batch), 1), env::CommitStatus::done);
  EXPECT_EQ(read(a, "", "z", 10), (std::vector<env::Row>{{"k", "2"}, {"r2", "after"}}));
}

TEST_P(EnvironmentContract, erase_range_keeps_its_end) {
  Probe& a = boot(0);
  env::Batch batch;
  for (const char* key : {"a", "b", "b1", "c", "d"}) batch.put(key, key);
  ASSERT_EQ(commit(a, std::move(batch), 1), env::CommitStatus::done);
  env::Batch erase;
  erase.erase_range("b", "c");
  ASSERT_EQ(commit(a, std::move(erase), 2), env::CommitStatus::done);
  EXPECT_EQ(read(a, "", "z", 10), (std::vector<env::Row>{{"a", "a"}, {"c", "c"}, {"d", "d"}}));
}

TEST_P(EnvironmentContract, reads_give_a_range_in_key_order_up_to_a_limit) {
  Probe& a = boot(0);
  env::Batch batch;
  for (const char* key : {"m", "c", "x", "a", "\xf0", "ma", "b"}) batch.put(key, key);
  ASSERT_EQ(commit(a, std::move(batch), 1), env::CommitStatus::done);
  EXPECT_EQ(read(a, "b", "n", 10),
            (std::vector<env::Row>{{"b", "b"}, {"c", "c"}, {"m", "m"}, {"ma", "ma"}}));
  EXPECT_EQ(read(a, "b", "n", 2), (std::vector<env::Row>{{"b", "b"}, {"c", "c"}}));
  EXPECT_EQ(read(a, "", "\xff", 100).back().key, "\xf0");  // bytes compare unsigned
  EXPECT_EQ(read(a, "b", "b", 10).size(), 0U);
  EXPECT_EQ(read(a, "n", "x", 10).size(), 0U);
}

TEST_P(EnvironmentContract, deadlines_are_kept_and_not_early) {
  Probe& a = boot(0);
  Instant asked{};
  act(a, [&](env::Environment& e) {
    asked = e.now();
    a.wanted = asked + 50ms;
  });
  EXPECT_TRUE(run([&] { return a.woken_at.has_value(); }));
  EXPECT_GE(*a.woken_at, asked + 50ms);
  EXPECT_LT(*a.woken_at, asked + 5s);
}

TEST_P(EnvironmentContract, chance_and_wall_clock_answer) {
  Probe& a = boot(0);
  act(a, [](env::Environment& e) {
    const std::uint64_t first = e.random();
    EXPECT_NE(first, e.random());
    EXPECT_GT(e.wall_ms(), 1'000'000'000'000U);  // after 2001
    e.log({env::Level::debug, "seen by the contract"});
    e.log({.level = env::Level::debug, .text = "a\nb", .event = "contract", .client = "\x1f\"\xff", .remote = "nowhere"});
    EXPECT_TRUE(!e.logs(env::Level::debug) || e.logs(env::Level::error)) << "who writes what is less writes what is more";
    e.reached("contract.situation");
  });
}

TEST_P(EnvironmentContract, answers_come_later_never_from_inside_the_call) {
  Probe& a = boot(0);
  Probe& b = boot(1);
  // The probe fails on any event within an event; here every call is made from within one.
  b.when_accepted = [&](StreamId stream) {
    b.later([stream](env::Environment& e) { e.send(stream, Bytes("hello")); });
  };
  act(a, [&](env::Environment& e) {
    const StreamId good = e.dial(world_->address(1));
    e.send(good, Bytes(std::string(200'000, 'i')));
    e.dial(world_->nowhere());
    e.commit({}, 1);
    e.read("", "z", 10, 1);
    e.pause_reading(good, true);
    e.pause_reading(good, false);
  });
  EXPECT_TRUE(run([&] {
    return a.commits.size() == 1 && a.reads.count(1) == 1 && !b.accepted.empty() &&
           b.streams[b.accepted[0]].bytes.size() == 200'000;
  }));
}

}  // namespace hf::contract
