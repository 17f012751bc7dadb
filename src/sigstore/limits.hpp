#pragma once

#include <cstddef>
#include <cstdint>

namespace seed::sigstore {

// What is read of outside bytes. The counts are those of sigstore-go, so that what others take we
// take; a layer of 10 MiB is what the cluster policies read at most.
inline constexpr std::uint64_t kMaxBundleBytes = 10 << 20;
inline constexpr std::uint64_t kMaxTrustedRootBytes = 4 << 20;
inline constexpr std::uint64_t kMaxSigningConfigBytes = 1 << 20;
// The sizes that python-tuf reads by default; of timestamps less, for theirs is a handful of lines.
inline constexpr std::uint64_t kMaxTufRootBytes = 512'000;
inline constexpr std::uint64_t kMaxTufTimestampBytes = 16'384;
inline constexpr std::uint64_t kMaxTufSnapshotBytes = 2'000'000;
inline constexpr std::uint64_t kMaxTufTargetsBytes = 5'000'000;
inline constexpr std::uint64_t kMaxTufTargetBytes = 4 << 20;
inline constexpr int kMaxTufRootRotations = 256;
inline constexpr std::uint64_t kMaxStatementBytes = 8 << 20;
inline constexpr std::size_t kMaxJsonDepth = 64;
inline constexpr std::size_t kMaxLogEntries = 32;
inline constexpr std::size_t kMaxTimestamps = 32;
inline constexpr std::size_t kMaxSubjects = 1024;
inline constexpr std::size_t kMaxDigestsPerSubject = 32;
inline constexpr std::size_t kMaxChain = 10;
inline constexpr std::size_t kMaxProofHashes = 64;  ///< a tree of 2^63 leaves is 63 high
inline constexpr std::size_t kMaxNoteBytes = 64 << 10;
inline constexpr std::size_t kMaxNoteSignatures = 100;
inline constexpr std::size_t kMaxCertificateBytes = 64 << 10;
inline constexpr std::size_t kMaxKeyBytes = 8 << 10;
inline constexpr std::size_t kMaxServices = 64;
inline constexpr std::int64_t kMaxApiVersion = 1000;
inline constexpr std::size_t kMaxTimestampBytes = 64 << 10;
inline constexpr std::size_t kMaxTokenBytes = 64 << 10;

}  // namespace seed::sigstore
