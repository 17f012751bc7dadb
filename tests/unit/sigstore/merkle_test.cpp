#include "sigstore/merkle.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/fake_log.hpp"

namespace seed::sigstore {
namespace {

constexpr std::size_t kLeaves = 33;

std::vector<Digest> leaves(std::size_t count) {
  std::vector<Digest> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(leaf_hash(bytes_of(std::to_string(i))));
  }
  return all;
}

std::vector<Bytes> raw(const std::vector<Digest>& hashes) {
  std::vector<Bytes> all;
  for (const Digest& hash : hashes) {
    all.emplace_back(hash.raw().begin(), hash.raw().end());
  }
  return all;
}

}  // namespace

TEST_CASE("every leaf of every small tree is included, by its own path and at its own index") {
  for (std::size_t size = 1; size <= kLeaves; ++size) {
    const auto all = leaves(size);
    const Digest root = test::merkle_root(all);
    for (std::size_t i = 0; i < size; ++i) {
      const auto path = raw(test::merkle_path(i, all));
      const auto n = static_cast<std::int64_t>(size);
      const auto index = static_cast<std::int64_t>(i);
      CHECK_NOTHROW(check_inclusion(all[i], index, n, path, root));
      CHECK_THROWS_AS(check_inclusion(node_hash(all[i], all[i]), index, n, path, root),
                      IntegrityError);
      CHECK_THROWS_AS(check_inclusion(all[i], n, n, path, root), IntegrityError);
      if (size > 1) {
        CHECK_THROWS_AS(check_inclusion(all[i], (index + 1) % n, n, path, root), IntegrityError);
      }
    }
  }
}

TEST_CASE("every small tree begins with every smaller one, and with no other") {
  const auto all = leaves(kLeaves);
  for (std::size_t old_size = 1; old_size <= kLeaves; ++old_size) {
    const Digest old_root =
        test::merkle_root({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(old_size)});
    for (std::size_t size = old_size; size <= kLeaves; ++size) {
      const std::vector<Digest> tree(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size));
      const Digest root = test::merkle_root(tree);
      const auto proof = raw(test::merkle_proof(old_size, tree));
      const auto m = static_cast<std::int64_t>(old_size);
      const auto n = static_cast<std::int64_t>(size);
      CHECK_NOTHROW(check_consistency(m, old_root, n, root, proof));
      CHECK_THROWS_AS(check_consistency(m, node_hash(root, root), n, root, proof), IntegrityError);
      CHECK_THROWS_AS(check_consistency(m, old_root, n, node_hash(root, root), proof),
                      IntegrityError);
    }
  }
  CHECK_THROWS_AS(check_consistency(0, all[0], 1, all[0], {}), IntegrityError);
  CHECK_THROWS_AS(check_consistency(2, all[0], 1, all[0], {}), IntegrityError);
}

}  // namespace seed::sigstore
