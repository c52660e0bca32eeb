// GET /metrics: all families, and what the system tells about the process.
#include "broker/admin/asked.hpp"
#include "broker/admin/families.hpp"
#include "broker/admin/process.hpp"

namespace hf::admin {
namespace {

void write_process(Exposition& out) {
  const ProcessFacts facts = process_facts();
  out.gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
  out.sample(facts.resident_bytes);
  out.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.");
  out.sample(facts.virtual_bytes);
  out.gauge("process_open_fds", "Number of open file descriptors; where that would take long, the lowest free number.");
  out.sample(facts.open_fds);
  out.gauge("process_max_fds", "Maximum number of open file descriptors.");
  out.sample(facts.fds_max);
  out.counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.");
  out.sample(facts.cpu_seconds);
  out.gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.");
  out.sample(facts.started);
}

}  // namespace

void Administration::metrics(Asked& asked) {
  Exposition out;
  out.gauge("holdfast_build_info", "Always 1; what this node is, in its labels.");
  out.sample(std::uint64_t{1}, {{"version", around_.version}, {"cluster", around_.cluster}, {"node", std::to_string(inspection_.self())}});
  out.gauge("holdfast_ready", "1: clients are welcome; 0: starting, catching up or draining.");
  out.sample(std::uint64_t{inspection_.readiness() == node::Readiness::ready ? 1U : 0U});
  out.gauge("holdfast_memory_pressure", "0: none; 1: clean starts are refused and QoS 0 is dropped; 2: publishers wait, too.");
  out.sample(std::uint64_t{static_cast<std::uint8_t>(inspection_.pressure())});
  out.gauge("holdfast_uptime_seconds", "Since this node's boot.");
  out.sample(std::chrono::duration<double>(inspection_.uptime()).count());
  write_messages(out, inspection_.counters(), inspection_.totals());
  write_cluster(out, inspection_);
  out.counter("holdfast_administration_refused_total",
              "Connections and requests that the administration turned away: no TLS handshake, wrong token or certificate, no place left.");
  for (const auto& [kind, reason] : {std::pair{Refusal::handshake, "handshake"}, {Refusal::rights, "rights"}, {Refusal::crowded, "crowded"}}) {
    out.sample(refused_.at(static_cast<std::size_t>(kind)), {{"reason", reason}});
  }
  if (around_.turned_away) {
    const host::TurnedAway away = around_.turned_away();
    out.counter("holdfast_connections_refused_total",
                "Connections that ended before MQTT: beyond max_connections, or their PROXY header, TLS or WebSocket was no good or late.");
    out.sample(away.full, {{"kind", "client"}, {"reason", "max_connections"}});
    out.sample(away.clients, {{"kind", "client"}, {"reason", "transport"}});
    out.sample(away.peers, {{"kind", "peer"}, {"reason", "transport"}});
  }
  if (around_.log_lines_lost) {
    out.counter("holdfast_log_lines_lost_total", "Lines of the log that nobody read in time, or that could not be written.");
    out.sample(around_.log_lines_lost());
  }
  if (around_.certificates) {
    out.gauge("holdfast_certificate_expiry_timestamp_seconds", "When a certificate of this node expires, since unix epoch in seconds.");
    for (const auto& certificate : around_.certificates()) out.sample(certificate.expires, {{"name", certificate.name}});
  }
  write_process(out);
  Reply reply;
  reply.type = Exposition::content_type;
  reply.body = out.text();
  asked.respond(std::move(reply));
}

}  // namespace hf::admin
