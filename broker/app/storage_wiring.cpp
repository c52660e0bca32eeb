// Joins the store to the host: commits and reads one way, answers the other.
#include "broker/app/storage_wiring.hpp"

#include <utility>
#include <vector>

namespace hf::app {

Result<std::unique_ptr<store::RocksStore>> open_storage(host::Host& host, const std::string& path) {
  auto opened = store::RocksStore::open(
      path, {[&host](std::vector<env::CommitId> ids, env::CommitStatus status) {
               host.committed(std::move(ids), status);
             },
             [&host](env::ReadId id, std::vector<env::Row> rows, env::ReadStatus status) {
               host.rows(id, std::move(rows), status);
             }});
  if (!opened) return opened;
  store::RocksStore* store = opened->get();
  host.attach({[store](std::vector<std::pair<env::CommitId, env::Batch>> commits) {
                 std::vector<store::Commit> queue;
                 queue.reserve(commits.size());
                 for (auto& [id, batch] : commits) queue.push_back({id, std::move(batch)});
                 store->commit(std::move(queue));
               },
               [store](std::string begin, std::string end, std::size_t limit, env::ReadId id) {
                 store->read(std::move(begin), std::move(end), limit, id);
               }});
  return opened;
}

}  // namespace hf::app
