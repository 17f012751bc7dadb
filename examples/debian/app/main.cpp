// Counts the words of its input, most frequent first, and prints a checksum of what it read.
#include <algorithm>
#include <boost/algorithm/string.hpp>
#include <boost/multi_index/hashed_index.hpp>
#include <boost/multi_index/identity.hpp>
#include <boost/multi_index/member.hpp>
#include <boost/multi_index/ordered_index.hpp>
#include <boost/multi_index_container.hpp>
#include <functional>
#include <iostream>
#include <string>
#include <tuple>
#include <vector>

#include <zlib.h>

#include "stopwords.h"

namespace table = boost::multi_index;

struct Entry {
  std::string word;
  std::size_t count;
};

struct MostFrequentFirst {
  bool operator()(const Entry& a, const Entry& b) const {
    return std::tie(b.count, a.word) < std::tie(a.count, b.word);
  }
};

using Table = table::multi_index_container<
    Entry,
    table::indexed_by<table::hashed_unique<table::member<Entry, std::string, &Entry::word>>,
                      table::ordered_non_unique<table::identity<Entry>, MostFrequentFirst>>>;

bool is_stopword(const std::string& word) {
  return std::binary_search(std::begin(stopwords), std::end(stopwords), word);
}

int main() {
  Table counts;
  unsigned long checksum = crc32(0, nullptr, 0);
  for (std::string line; std::getline(std::cin, line);) {
    checksum = crc32(
        checksum, reinterpret_cast<const Bytef*>(line.data()), static_cast<uInt>(line.size()));
    std::vector<std::string> words;
    boost::split(words, line, boost::is_space(), boost::token_compress_on);
    for (auto& word : words) {
      boost::to_lower(word);
      if (word.empty() || is_stopword(word)) {
        continue;
      }
      auto [position, inserted] = counts.insert({word, 1});
      if (!inserted) {
        counts.modify(position, [](Entry& entry) { ++entry.count; });
      }
    }
  }
  for (const auto& entry : counts.get<1>()) {
    std::cout << entry.count << ' ' << entry.word << '\n';
  }
  std::cout << "crc32 " << std::hex << checksum << '\n';
}
