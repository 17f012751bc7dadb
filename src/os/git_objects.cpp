#include "os/git_objects.hpp"

#include <limits>

#include <fmt/core.h>
#include <git2.h>
#include <git2/sys/odb_backend.h>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "base/text.hpp"
#include "os/git_repository.hpp"

namespace seed::os {
namespace {

namespace fs = std::filesystem;

using Repository = Handle<git_repository, git_repository_free>;
using Odb = Handle<git_odb, git_odb_free>;
using CommitObject = Handle<git_commit, git_commit_free>;
using Tree = Handle<git_tree, git_tree_free>;
using TreeEntry = Handle<git_tree_entry, git_tree_entry_free>;
using TreeBuilder = Handle<git_treebuilder, git_treebuilder_free>;
using Revwalk = Handle<git_revwalk, git_revwalk_free>;
using Blob = Handle<git_blob, git_blob_free>;
using PackBuilder = Handle<git_packbuilder, git_packbuilder_free>;
using OdbObject = Handle<git_odb_object, git_odb_object_free>;

[[noreturn]] void fail(std::string_view doing) {
  const git_error* error = git_error_last();
  throw Error(
      fmt::format("git: {}: {}", doing, error != nullptr ? error->message : "unknown failure"));
}

void check(int result, std::string_view doing) {
  if (result < 0) {
    fail(doing);
  }
}

git_oid to_oid(const std::string& id) {
  git_oid oid{};
  if (id.size() != GIT_OID_HEXSZ || git_oid_fromstr(&oid, id.c_str()) != 0) {
    throw FormatError(fmt::format("git: '{}' is no object's name", printable(id)));
  }
  return oid;
}

std::string to_id(const git_oid& oid) {
  std::string hex(GIT_OID_HEXSZ, '0');
  git_oid_fmt(hex.data(), &oid);
  return hex;
}

/// A pack on its way out of libgit2, which knows no bound.
struct PackBytes {
  std::string text;
  std::uint64_t limit_bytes;
};

std::string bytes_of_pack(const PackBuilder& builder, std::uint64_t limit_bytes) {
  PackBytes bytes{.text = {}, .limit_bytes = limit_bytes};
  const auto take = [](void* data, std::size_t size, void* into) {
    auto& taken = *static_cast<PackBytes*>(into);
    if (taken.limit_bytes - taken.text.size() < size) {
      return static_cast<int>(GIT_EUSER);
    }
    taken.text.append(static_cast<const char*>(data), size);
    return 0;
  };
  const int result = git_packbuilder_foreach(builder.get(), take, &bytes);
  if (result == GIT_EUSER) {
    throw Error(fmt::format("git: a pack of more than {} bytes", limit_bytes),
                "push with git itself once, and only what is new from then on");
  }
  check(result, "making a pack");
  return std::move(bytes.text);
}

}  // namespace

struct GitObjects::State {
  Repository repository;
  Odb odb;

  CommitObject commit(const std::string& id) const {
    const git_oid oid = to_oid(id);
    git_commit* raw = nullptr;
    check(git_commit_lookup(&raw, repository.get(), &oid), "reading commit " + id);
    return CommitObject(raw);
  }

  Tree tree(const std::string& id) const {
    const git_oid oid = to_oid(id);
    git_tree* raw = nullptr;
    check(git_tree_lookup(&raw, repository.get(), &oid), "reading tree " + id);
    return Tree(raw);
  }

  PackBuilder new_pack() const {
    git_packbuilder* raw = nullptr;
    check(git_packbuilder_new(&raw, repository.get()), "making a pack");
    git_packbuilder_set_threads(raw, 1);
    return PackBuilder(raw);
  }
};

GitObjects::GitObjects(const fs::path& folder) : state_(std::make_unique<State>()) {
  initialise_git();
  git_repository* repository = nullptr;
  check(git_repository_init(&repository, folder.c_str(), 1), "making " + folder.string());
  state_->repository.reset(repository);
  git_odb* odb = nullptr;
  check(git_repository_odb(&odb, repository), "opening " + folder.string());
  state_->odb.reset(odb);
}

GitObjects::~GitObjects() = default;

void GitObjects::read_also(const fs::path& inside) {
  git_repository* raw = nullptr;
  check(git_repository_open_ext(&raw, inside.c_str(), GIT_REPOSITORY_OPEN_CROSS_FS, nullptr),
        "opening " + inside.string());
  const Repository other(raw);
  const fs::path objects = fs::path(git_repository_commondir(raw)) / "objects";
  check(git_odb_add_disk_alternate(state_->odb.get(), objects.c_str()),
        "opening " + objects.string());
}

bool GitObjects::has(const std::string& id) const {
  const git_oid oid = to_oid(id);
  return git_odb_exists(state_->odb.get(), &oid) == 1;
}

GitObjects::Commit GitObjects::commit(const std::string& id) const {
  const CommitObject object = state_->commit(id);
  Commit commit{.tree = to_id(*git_commit_tree_id(object.get())),
                .parents = {},
                .email = git_commit_committer(object.get())->email,
                .time = git_commit_time(object.get())};
  for (unsigned i = 0; i < git_commit_parentcount(object.get()); ++i) {
    commit.parents.push_back(to_id(*git_commit_parent_id(object.get(), i)));
  }
  return commit;
}

std::uint64_t GitObjects::count_commits(const std::string& id) const {
  const git_oid oid = to_oid(id);
  git_revwalk* raw = nullptr;
  check(git_revwalk_new(&raw, state_->repository.get()), "counting commits");
  const Revwalk walk(raw);
  check(git_revwalk_push(raw, &oid), "counting commits from " + id);
  std::uint64_t count = 0;
  for (git_oid next{};;) {
    const int result = git_revwalk_next(&next, raw);
    if (result == GIT_ITEROVER) {
      return count;
    }
    check(result, "counting commits from " + id);
    ++count;
  }
}

bool GitObjects::is_ancestor(const std::string& ancestor, const std::string& commit) const {
  const git_oid before = to_oid(ancestor);
  const git_oid after = to_oid(commit);
  const int result = git_graph_descendant_of(state_->repository.get(), &after, &before);
  check(result, "comparing " + ancestor + " with " + commit);
  return ancestor == commit || result == 1;
}

std::optional<GitObjects::Entry> GitObjects::find(const std::string& tree,
                                                  const std::string& path) const {
  const Tree root = state_->tree(tree);
  git_tree_entry* raw = nullptr;
  const int result = git_tree_entry_bypath(&raw, root.get(), path.c_str());
  const TreeEntry entry(raw);
  if (result == GIT_ENOTFOUND) {
    return std::nullopt;
  }
  check(result, "looking for " + printable(path));
  const git_filemode_t mode = git_tree_entry_filemode(raw);
  return Entry{.id = to_id(*git_tree_entry_id(raw)),
               .is_file = mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE};
}

std::string GitObjects::blob(const std::string& id, std::uint64_t limit_bytes) const {
  const git_oid oid = to_oid(id);
  std::size_t length = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  check(git_odb_read_header(&length, &type, state_->odb.get(), &oid), "reading blob " + id);
  if (type != GIT_OBJECT_BLOB || length > limit_bytes) {
    throw FormatError(fmt::format("git: {} is no file of at most {} bytes", id, limit_bytes));
  }
  git_blob* raw = nullptr;
  check(git_blob_lookup(&raw, state_->repository.get(), &oid), "reading blob " + id);
  const Blob object(raw);
  return {static_cast<const char*>(git_blob_rawcontent(raw)), length};
}

std::string GitObjects::add_blob(std::string_view content) {
  git_oid oid{};
  check(git_odb_write(&oid, state_->odb.get(), content.data(), content.size(), GIT_OBJECT_BLOB),
        "writing a blob");
  return to_id(oid);
}

std::vector<std::string> GitObjects::add_tree(const std::string& tree,
                                              const std::string& path,
                                              const std::string& blob) {
  const Tree base = tree.empty() ? nullptr : state_->tree(tree);
  git_treebuilder* raw = nullptr;
  check(git_treebuilder_new(&raw, state_->repository.get(), base.get()), "writing a tree");
  const TreeBuilder builder(raw);
  const std::size_t slash = path.find('/');
  const std::string name = path.substr(0, slash);
  const git_tree_entry* old = base ? git_tree_entry_byname(base.get(), name.c_str()) : nullptr;
  git_filemode_t mode = GIT_FILEMODE_BLOB;
  std::vector<std::string> added;
  if (slash != std::string::npos) {
    const bool known = old != nullptr && git_tree_entry_type(old) == GIT_OBJECT_TREE;
    added = add_tree(known ? to_id(*git_tree_entry_id(old)) : "", path.substr(slash + 1), blob);
    mode = GIT_FILEMODE_TREE;
  } else if (old != nullptr && git_tree_entry_filemode(old) == GIT_FILEMODE_BLOB_EXECUTABLE) {
    mode = GIT_FILEMODE_BLOB_EXECUTABLE;
  }
  const git_oid entry = to_oid(added.empty() ? blob : added.front());
  check(git_treebuilder_insert(nullptr, raw, name.c_str(), &entry, mode), "writing a tree");
  git_oid oid{};
  check(git_treebuilder_write(&oid, raw), "writing a tree");
  added.insert(added.begin(), to_id(oid));
  return added;
}

// By hand, since libgit2 wants every parent to be here.
std::string GitObjects::add_commit(const NewCommit& commit) {
  std::string text = fmt::format("tree {}\n", commit.tree);
  for (const std::string& parent : commit.parents) {
    text += fmt::format("parent {}\n", to_id(to_oid(parent)));
  }
  for (const char* role : {"author", "committer"}) {
    text += fmt::format("{} {} <{}> {} +0000\n", role, commit.name, commit.email, commit.time);
  }
  text += fmt::format("\n{}\n", commit.message);
  git_oid oid{};
  check(git_odb_write(&oid, state_->odb.get(), text.data(), text.size(), GIT_OBJECT_COMMIT),
        "writing a commit");
  return to_id(oid);
}

std::string GitObjects::pack(const std::vector<std::string>& ids) const {
  const PackBuilder builder = state_->new_pack();
  for (const std::string& id : ids) {
    const git_oid oid = to_oid(id);
    check(git_packbuilder_insert(builder.get(), &oid, nullptr), "packing " + id);
  }
  return bytes_of_pack(builder, std::numeric_limits<std::uint64_t>::max());
}

std::string GitObjects::pack_history(const std::string& commit,
                                     const std::string& there,
                                     std::uint64_t limit_bytes) const {
  git_revwalk* raw = nullptr;
  check(git_revwalk_new(&raw, state_->repository.get()), "packing " + commit);
  const Revwalk walk(raw);
  const git_oid from = to_oid(commit);
  check(git_revwalk_push(raw, &from), "packing " + commit);
  if (!there.empty()) {
    const git_oid to = to_oid(there);
    check(git_revwalk_hide(raw, &to), "packing what is after " + there);
  }
  const PackBuilder builder = state_->new_pack();
  check(git_packbuilder_insert_walk(builder.get(), raw), "packing the history of " + commit);
  return bytes_of_pack(builder, limit_bytes);
}

struct GitObjects::PackWriter::State {
  git_odb_writepack* writer = nullptr;
  git_indexer_progress progress{};
};

GitObjects::PackWriter::PackWriter(GitObjects& objects) : state_(std::make_unique<State>()) {
  check(git_odb_write_pack(&state_->writer, objects.state_->odb.get(), nullptr, nullptr),
        "receiving a pack");
}

GitObjects::PackWriter::~PackWriter() {
  state_->writer->free(state_->writer);
}

void GitObjects::PackWriter::write(ByteView chunk) {
  check(state_->writer->append(state_->writer, chunk.data(), chunk.size(), &state_->progress),
        "receiving a pack");
}

void GitObjects::PackWriter::finish() {
  check(state_->writer->commit(state_->writer, &state_->progress), "receiving a pack");
}

}  // namespace seed::os
