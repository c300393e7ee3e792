// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/summary/word_trie.hpp"

#include <algorithm>

namespace untrombone::core::summary {

// ---- records -----------------------------------------------------------------------------------------------------

template <typename Bits>
typename WordTrie<Bits>::StoredKey WordTrie<Bits>::store(Bits key) {
  if constexpr (sizeof(Bits) == sizeof(std::uint32_t)) {
    return {{key}};
  } else {
    StoredKey stored;
    for (std::size_t i = 0; i < stored.parts.size(); ++i)
      stored.parts[i] = static_cast<std::uint32_t>(key >> (32U * i));
    return stored;
  }
}

template <typename Bits>
Bits WordTrie<Bits>::load(const StoredKey& key) {
  Bits bits{0};
  for (std::size_t i = 0; i < key.parts.size(); ++i)
    bits |= static_cast<Bits>(static_cast<Bits>(key.parts[i]) << (32U * i));
  return bits;
}

/// The bits of the addresses that share `length` bits with `address`, which must reach into the word.
template <typename Bits>
std::uint64_t WordTrie<Bits>::mask_in_word(Bits address, unsigned length) {
  const unsigned count = 1U << (kWidth<Bits> - length);
  const std::uint64_t run = count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
  return run << (static_cast<unsigned>(address & 63U) & ~(count - 1));
}

/// The heap index of the group of `length` bits that `address` is in.
template <typename Bits>
unsigned WordTrie<Bits>::group_of(Bits address, unsigned length) {
  return (1U << (length - kWordLength)) | (static_cast<unsigned>(address & 63U) >> (kWidth<Bits> - length));
}

template <typename Bits>
Bits WordTrie<Bits>::key_of(Ref ref) const {
  return load(is_word(ref) ? words_[index_of(ref)].key : keys_[index_of(ref)]);
}

template <typename Bits>
unsigned WordTrie<Bits>::length_of(Ref ref) const {
  return is_word(ref) ? kWordLength : nodes_[index_of(ref)].length;
}

template <typename Bits>
std::uint64_t WordTrie<Bits>::bad_in(const Word& word) const {
  return covers_unknown_ ? word.other | word.claimed : ~(word.local | word.other) | word.claimed;
}

template <typename Bits>
bool WordTrie<Bits>::is_bad(Ref ref) const {
  if (!is_word(ref)) return nodes_[index_of(ref)].bad;
  const Word& word = words_[index_of(ref)];
  return bad_in(word) != 0 || word.groups != 0;
}

template <typename Bits>
bool WordTrie<Bits>::has_local(Ref ref) const {
  return is_word(ref) ? words_[index_of(ref)].local != 0 : nodes_[index_of(ref)].has_local;
}

/// The group of `length` bits around `address`, of more than one address.
template <typename Bits>
bool WordTrie<Bits>::is_bad_group(const Word& word, Bits address, unsigned length) const {
  if ((bad_in(word) & mask_in_word(address, length)) != 0) return true;
  if (word.groups == 0) return false;
  std::uint64_t below = std::uint64_t{1} << group_of(address, length);
  for (unsigned depth = length; depth < kWidth<Bits>; ++depth) {
    if ((word.groups & below) != 0) return true;
    const auto first = static_cast<unsigned>(std::countr_zero(below)) * 2;
    const auto count = static_cast<unsigned>(std::popcount(below)) * 2;
    if (first >= 64) break;
    below = (count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1) << first;
  }
  return false;
}

// ---- structure ---------------------------------------------------------------------------------------------------

template <typename Bits>
WordTrie<Bits>::WordTrie(const Prefix& subnet, unsigned min_length, bool covers_unknown)
    : subnet_(subnet), min_length_(std::max(min_length, subnet.length)), covers_unknown_(covers_unknown) {
  // A subnet that fits into a word begins where the word does; what is around it is never set, so it is bad.
  const unsigned length = std::min(subnet.length, kWordLength - 1);
  const Prefix root = Prefix::of(subnet.key, length);
  root_ = index_of(make(root, covers_unknown));
  if (kWordLength - length <= kDirectoryBits) directory_.resize(std::size_t{1} << (kWordLength - length));
  nodes_[root_].fixed = true;
  refresh_node(root_);
}

template <typename Bits>
typename WordTrie<Bits>::Ref WordTrie<Bits>::make(const Prefix& prefix, bool clean) {
  if (prefix.length == kWordLength) {
    Word word;
    word.key = store(prefix.key);
    if (clean && !covers_unknown_) word.other = ~std::uint64_t{0};
    const Ref ref = ref_of(words_.make(word), true);
    if (!directory_.empty()) directory_[slot_of(prefix.key)] = ref;
    return ref;
  }
  Node node;
  keys_.make(store(prefix.key));
  node.length = static_cast<std::uint8_t>(prefix.length);
  node.clean = clean;
  node.bad = !clean;
  return ref_of(nodes_.make(node), false);
}

template <typename Bits>
void WordTrie<Bits>::add_free(const Prefix& prefix) {
  if (covers_unknown_ || !subnet_.contains(prefix)) return;
  Path path;
  ensure(Prefix::of(prefix.key, std::min(prefix.length, kWordLength)), path);
  if (prefix.length >= kWordLength) {
    words_[index_of(path.word)].other |= mask_in_word(prefix.key, prefix.length);
  } else {
    Node& node = nodes_[path.nodes[path.count - 1]];
    node.fixed = node.clean = true;
    std::vector<Ref> open{node.child[0], node.child[1]};  // free prefixes inside were there before
    while (!open.empty()) {
      const Ref ref = open.back();
      open.pop_back();
      if (ref == 0) continue;
      if (is_word(ref)) {
        words_[index_of(ref)].other = ~std::uint64_t{0};
        continue;
      }
      Node& below = nodes_[index_of(ref)];
      below.clean = true;
      below.bad = false;
      open.insert(open.end(), below.child.begin(), below.child.end());
    }
  }
  refresh(path);
}

/// The place of the word of `address` in the directory; the subnet must contain it.
template <typename Bits>
std::size_t WordTrie<Bits>::slot_of(Bits address) const {
  const Bits root = mask_of<Bits>(std::min(subnet_.length, kWordLength - 1));
  return static_cast<std::size_t>((address & ~root) >> kWordBits);
}

/// The word of `address`, which the subnet must contain; 0 when there is none. A trie needs no look at the keys on the
/// way: the word's own tells whether it was the right one.
template <typename Bits>
typename WordTrie<Bits>::Ref WordTrie<Bits>::locate(Bits address) const {
  if (!directory_.empty()) return directory_[slot_of(address)];
  for (const Node* node = &nodes_[root_];;) {
    const Ref next = node->child[bit_at(address, node->length)];
    if (next == 0) return 0;
    if (is_word(next))
      return load(words_[index_of(next)].key) == (address & mask_of<Bits>(kWordLength)) ? next : 0;
    node = &nodes_[index_of(next)];
  }
}

/// All nodes on the way that the bits of `address` lead, and the word if it ends at one; the key of what it ends at. It
/// may have led to another address: the keys on the way were not looked at.
template <typename Bits>
Bits WordTrie<Bits>::descend(Bits address, Path& path) const {
  path.count = 0;
  path.word = 0;
  Ref next = ref_of(root_, false);
  while (next != 0 && !is_word(next)) {
    const std::uint32_t index = index_of(next);
    path.nodes[path.count++] = index;
    next = nodes_[index].child[bit_at(address, nodes_[index].length)];
  }
  path.word = next;
  return next != 0 ? key_of(next) : load(keys_[path.nodes[path.count - 1]]);
}

/// Leaves on the path what is not longer than the `common` bits. The root stays.
template <typename Bits>
void WordTrie<Bits>::cut(Path& path, unsigned common) const {
  if (common < kWordLength) path.word = 0;
  while (path.count > 1 && nodes_[path.nodes[path.count - 1]].length > common) --path.count;
}

/// The nodes above `address`, and its word if there is one.
template <typename Bits>
void WordTrie<Bits>::find(Bits address, Path& path) const {
  const Bits key = descend(address, path);
  cut(path, common_length(key, address));
}

/// The path to exactly `target`, which is made if need be: a word, or a node (then the path has no word).
template <typename Bits>
void WordTrie<Bits>::ensure(const Prefix& target, Path& path) {
  complete(target, descend(target.key, path), path);
}

/// The same from where descend() went; `key` is what it returned.
template <typename Bits>
void WordTrie<Bits>::complete(const Prefix& target, Bits key, Path& path) {
  cut(path, std::min(common_length(key, target.key), target.length));
  if (path.word != 0) return;
  std::uint32_t index = path.nodes[path.count - 1];
  const Ref below = nodes_[index].child[bit_at(target.key, nodes_[index].length)];
  if (below != 0 && nodes_[index].length != target.length) {
    index = split_edge(index, below, key, target);
    path.nodes[path.count++] = index;
  }
  if (nodes_[index].length == target.length) return;
  const Ref made = make(target, nodes_[index].clean);
  nodes_[index].child[bit_at(target.key, nodes_[index].length)] = made;
  if (is_word(made)) {
    path.word = made;
  } else {
    path.nodes[path.count++] = index_of(made);
  }
}

/// A new node on the edge from `parent` to `below`, where the way to `target` leaves it or ends. `key`: of anything at
/// or under `below`.
template <typename Bits>
std::uint32_t WordTrie<Bits>::split_edge(std::uint32_t parent, Ref below, Bits key, const Prefix& target) {
  const unsigned length = std::min({common_length(key, target.key), target.length, length_of(below) - 1});
  const Ref middle = make(Prefix::of(key, length), nodes_[parent].clean);
  nodes_[index_of(middle)].child[bit_at(key, length)] = below;
  nodes_[parent].child[bit_at(key, nodes_[parent].length)] = middle;
  refresh_node(index_of(middle));
  return index_of(middle);
}

/// Is the node bad for what is, or is not, on that side of it?
template <typename Bits>
bool WordTrie<Bits>::brings_bad(const Node& node, Ref child) const {
  if (child == 0) return !node.clean;
  return is_bad(child) || (!node.clean && length_of(child) > node.length + 1U);
}

template <typename Bits>
void WordTrie<Bits>::refresh_node(std::uint32_t index) {
  Node& node = nodes_[index];
  const auto& [left, right] = node.child;
  node.bad = node.claimed || brings_bad(node, left) || brings_bad(node, right);
  node.has_local = (left != 0 && has_local(left)) || (right != 0 && has_local(right));
}

/// The same when it only changed in `below`, a child on a path: what beside the path was good is still good. A record
/// that is not in the cache is what an event costs most, and this mostly spares it those beside its path.
template <typename Bits>
void WordTrie<Bits>::refresh_above(Node& node, Ref below) {
  const Ref beside = node.child[node.child[0] == below ? 1 : 0];
  node.bad = node.claimed || brings_bad(node, below) || (node.bad && brings_bad(node, beside));
  node.has_local = has_local(below) || (node.has_local && beside != 0 && has_local(beside));
}

/// Takes what changed at the end of the path up to the root, as far as it matters.
template <typename Bits>
void WordTrie<Bits>::refresh(const Path& path) {
  Ref below = path.word;
  for (unsigned i = path.count; i-- > 0; below = ref_of(path.nodes[i], false)) {
    Node& node = nodes_[path.nodes[i]];
    if (below == 0) {
      refresh_node(path.nodes[i]);
      continue;
    }
    const bool bad = node.bad;
    const bool local = node.has_local;
    refresh_above(node, below);
    if (node.bad == bad && node.has_local == local) return;
  }
}

template <typename Bits>
bool WordTrie<Bits>::is_void(const Word& word, bool clean) const {
  const std::uint64_t background = clean && !covers_unknown_ ? ~std::uint64_t{0} : 0;
  return (word.local | word.claimed | word.groups | word.marked) == 0 && word.other == background;
}

/// Removes what says nothing any more: an empty word, a node without need. No prefix depends on them.
template <typename Bits>
void WordTrie<Bits>::prune(const Path& path) {
  unsigned i = path.count;
  if (path.word != 0) {
    Node& parent = nodes_[path.nodes[i - 1]];
    if (!is_void(words_[index_of(path.word)], parent.clean)) return;
    parent.child[parent.child[1] == path.word ? 1 : 0] = 0;
    if (!directory_.empty()) directory_[slot_of(load(words_[index_of(path.word)].key))] = 0;
    words_.release(index_of(path.word));
  }
  while (i-- > 0) {
    const Node& node = nodes_[path.nodes[i]];
    if (node.fixed || node.claimed || (node.child[0] != 0 && node.child[1] != 0)) return;
    const Ref only = node.child[0] != 0 ? node.child[0] : node.child[1];
    Node& parent = nodes_[path.nodes[i - 1]];
    const Ref self = ref_of(path.nodes[i], false);
    parent.child[parent.child[1] == self ? 1 : 0] = only;
    nodes_.release(path.nodes[i]);
    keys_.release(path.nodes[i]);
    if (only != 0) return;
  }
}

template <typename Bits>
const typename WordTrie<Bits>::Word* WordTrie<Bits>::find_word(Bits address) const {
  if (!subnet_.contains(address)) return nullptr;
  const Ref ref = locate(address);
  return ref != 0 ? &words_[index_of(ref)] : nullptr;
}

// ---- the ideal set -----------------------------------------------------------------------------------------------

/// The top-most admissible length down to the last node of the path; kNone when there is none.
template <typename Bits>
unsigned WordTrie<Bits>::top_down_to_end(const Path& path) const {
  const Node* node = &nodes_[path.nodes[0]];
  if (!node->bad) return std::max<unsigned>(min_length_, node->length);
  for (unsigned i = 1; i < path.count; ++i) {
    const Node& next = nodes_[path.nodes[i]];
    if (!next.bad) return std::max<unsigned>(min_length_, node->clean ? node->length + 1U : next.length);
    node = &next;
  }
  return kNone;
}

/// The top-most admissible length above `address`, whose path find() made.
template <typename Bits>
unsigned WordTrie<Bits>::top_on(const Path& path, Bits address) const {
  const unsigned above = top_down_to_end(path);
  if (above != kNone) return above;
  const Node& node = nodes_[path.nodes[path.count - 1]];
  const Ref next = path.word != 0 ? path.word : node.child[bit_at(address, node.length)];
  if (node.clean && (next == 0 || !is_bad(next))) return std::max(min_length_, node.length + 1U);
  if (path.word == 0) {  // between the records
    if (!node.clean) return kWidth<Bits>;
    return std::max(min_length_, common_length(key_of(next), address) + 1);
  }
  const Word& word = words_[index_of(path.word)];
  return is_bad(path.word) ? top_inside(word, address) : std::max(min_length_, kWordLength);
}

/// The top-most admissible length below the whole word.
template <typename Bits>
unsigned WordTrie<Bits>::top_inside(const Word& word, Bits address) const {
  for (unsigned length = std::max(min_length_, kWordLength + 1); length < kWidth<Bits>; ++length) {
    if (!is_bad_group(word, address, length)) return length;
  }
  return kWidth<Bits>;
}

template <typename Bits>
bool WordTrie<Bits>::has_local_on(const Path& path, Bits address, unsigned length) const {
  for (unsigned i = 0; i < path.count; ++i) {
    if (nodes_[path.nodes[i]].length >= length) return nodes_[path.nodes[i]].has_local;
  }
  if (path.word != 0) {
    const Word& word = words_[index_of(path.word)];
    return (word.local & mask_in_word(address, std::max(length, kWordLength))) != 0;
  }
  const Node& last = nodes_[path.nodes[path.count - 1]];
  const Ref child = last.child[bit_at(address, last.length)];
  return child != 0 && has_local(child);
}

/// The top on a path that ensure() made. If nothing is admissible down to the node where it ends, the first half of
/// that node stands for all that is below.
template <typename Bits>
typename WordTrie<Bits>::Top WordTrie<Bits>::look(const Path& path, Bits address) const {
  unsigned length = path.word != 0 ? top_on(path, address) : top_down_to_end(path);
  if (length == kNone) length = nodes_[path.nodes[path.count - 1]].length + 1U;
  return {length, has_local_on(path, address, length)};
}

/// Lets `edit()` change what is at the end of a path that ensure() made, on the way to `address`, and appends what that
/// did to the set.
///
/// Only the path matters: beside it nothing changes. Where a top at length l gives way to one further down, the
/// groups beside the path between the two become tops of their own, because every prefix inside an admissible one is
/// admissible; and the other way round.
template <typename Bits>
template <typename Edit>
void WordTrie<Bits>::change(const Path& path, Bits address, Edit edit, Changes& out) {
  const Top before = look(path, address);
  edit();
  refresh(path);
  const Top after = look(path, address);
  const auto siblings = [&](unsigned above, unsigned below, bool added) {
    emit_siblings(path, address, above, below, added, out);
  };
  if (before != after) emit(address, before, after, siblings, out);
  prune(path);
}

template <typename Bits>
void WordTrie<Bits>::set_bit(Bits address, std::uint64_t Word::*field, bool wanted, Changes& out) {
  const Prefix around = Prefix::of(address, kWordLength);
  Path path;
  Ref ref = 0;
  Bits key = around.key;
  if (directory_.empty()) {
    key = descend(address, path);
    if (key == around.key) ref = path.word;
  } else {
    ref = directory_[slot_of(address)];
  }
  const bool is = ref != 0 && (words_[index_of(ref)].*field & bit_in_word(address)) != 0;
  if (is == wanted || (ref != 0 && flip_inside(ref, address, field, out))) return;
  directory_.empty() ? complete(around, key, path) : ensure(around, path);
  change(
      path, address, [&] { words_[index_of(path.word)].*field ^= bit_in_word(address); }, out);
}

/// Flips a bit of a word whose nodes above do not change by that; false, and nothing is done, when they would.
///
/// They see of a word only whether it is bad and whether it has locals. As long as both stay, a bad word has its tops
/// inside, and for one that is not bad they are the same as before.
template <typename Bits>
bool WordTrie<Bits>::flip_inside(Ref ref, Bits address, std::uint64_t Word::*field, Changes& out) {
  Word& word = words_[index_of(ref)];
  const bool bad = is_bad(ref);
  const bool local = word.local != 0;
  const auto look_inside = [&] {
    const unsigned length = top_inside(word, address);
    return Top{length, (word.local & mask_in_word(address, length)) != 0};
  };
  const bool inside = bad || min_length_ > kWordLength;
  const Top before = inside ? look_inside() : Top{};
  word.*field ^= bit_in_word(address);
  if (is_bad(ref) != bad || (word.local != 0) != local) {
    word.*field ^= bit_in_word(address);
    return false;
  }
  const Top after = inside ? look_inside() : Top{};
  const auto siblings = [&](unsigned above, unsigned below, bool added) {
    emit_siblings_inside(word, address, above, below, added, out);
  };
  if (before != after) emit(address, before, after, siblings, out);
  return true;
}

template <typename Bits>
template <typename Siblings>
void WordTrie<Bits>::emit(Bits address, const Top& before, const Top& after, Siblings siblings,
                          Changes& out) {
  if (after.has_local) push(address, after.length, true, out);
  if (before.length < after.length && before.has_local) siblings(before.length, after.length, true);
  if (before.length > after.length && after.has_local) siblings(after.length, before.length, false);
  if (before.has_local) push(address, before.length, false, out);
}

/// The groups with local hosts beside the path, longer than `above` and not longer than `below`.
template <typename Bits>
void WordTrie<Bits>::emit_siblings(const Path& path, Bits address, unsigned above, unsigned below, bool added,
                                   Changes& out) {
  for (unsigned i = 0; i < path.count; ++i) {
    const Node& node = nodes_[path.nodes[i]];
    if (node.length < above) continue;
    if (node.length >= below) return;
    const Ref aside = node.child[1 - bit_at(address, node.length)];
    if (aside != 0 && has_local(aside)) push(key_of(aside), node.length + 1U, added, out);
  }
  if (path.word != 0) emit_siblings_inside(words_[index_of(path.word)], address, above, below, added, out);
}

template <typename Bits>
void WordTrie<Bits>::emit_siblings_inside(const Word& word, Bits address, unsigned above, unsigned below,
                                          bool added, Changes& out) {
  for (unsigned length = std::max(above, kWordLength) + 1; length <= below; ++length) {
    const Bits aside = address ^ (Bits{1} << (kWidth<Bits> - length));
    if ((word.local & mask_in_word(aside, length)) != 0) push(aside, length, added, out);
  }
}

template <typename Bits>
void WordTrie<Bits>::push(Bits address, unsigned length, bool added, Changes& out) {
  out.push_back({Prefix::of(address, length), added});
  size_ += added ? std::size_t{1} : ~std::size_t{0};
}

// ---- what can be set ---------------------------------------------------------------------------------------------

template <typename Bits>
void WordTrie<Bits>::set_local(Bits address, bool local, Changes& out) {
  if (subnet_.contains(address)) set_bit(address, &Word::local, local, out);
}

template <typename Bits>
void WordTrie<Bits>::set_remote(Bits address, bool remote, Changes& out) {
  if (covers_unknown_ && subnet_.contains(address)) set_bit(address, &Word::other, remote, out);
}

template <typename Bits>
void WordTrie<Bits>::set_claimed(const Prefix& prefix, bool claimed, Changes& out) {
  if (!subnet_.contains(prefix) || prefix.length <= subnet_.length || prefix.length < min_length_) return;
  Path path;
  ensure(Prefix::of(prefix.key, std::min(prefix.length, kWordLength)), path);
  const auto edit = [&] {
    if (path.word == 0) {
      nodes_[path.nodes[path.count - 1]].claimed = claimed;
      return;
    }
    Word& word = words_[index_of(path.word)];
    const bool host = prefix.length == kWidth<Bits>;
    const std::uint64_t bit =
        host ? bit_in_word(prefix.key) : std::uint64_t{1} << group_of(prefix.key, prefix.length);
    std::uint64_t& bits = host ? word.claimed : word.groups;
    bits = claimed ? bits | bit : bits & ~bit;
  };
  change(path, prefix.key, edit, out);
}

template <typename Bits>
void WordTrie<Bits>::mark(Bits address, bool marked) {
  if (!subnet_.contains(address)) return;
  const std::uint64_t bit = bit_in_word(address);
  if (const Ref ref = locate(address); ref != 0) {
    Word& word = words_[index_of(ref)];
    word.marked = marked ? word.marked | bit : word.marked & ~bit;
    if ((word.local | word.marked) != 0) return;
  } else if (!marked) {
    return;
  }
  Path path;
  ensure(Prefix::of(address, kWordLength), path);
  if (marked) words_[index_of(path.word)].marked |= bit;
  refresh(path);
  prune(path);
}

template <typename Bits>
bool WordTrie<Bits>::is_marked(Bits address) const {
  const Word* const word = find_word(address);
  return word != nullptr && (word->marked & bit_in_word(address)) != 0;
}

template <typename Bits>
bool WordTrie<Bits>::is_local(Bits address) const {
  const Word* const word = find_word(address);
  return word != nullptr && (word->local & bit_in_word(address)) != 0;
}

template <typename Bits>
unsigned WordTrie<Bits>::top_length(Bits address) const {
  Path path;
  find(address, path);
  return top_on(path, address);
}

// ---- walking -----------------------------------------------------------------------------------------------------

/// Moves `at` to the first local address from there on; false when there is none up to `last`.
template <typename Bits>
bool WordTrie<Bits>::next_local(Bits& at, Bits last) const {
  std::vector<Ref> open{ref_of(root_, false)};
  while (!open.empty()) {
    const Ref ref = open.back();
    open.pop_back();
    if (ref == 0 || !has_local(ref)) continue;
    const Prefix range = Prefix::of(key_of(ref), length_of(ref));
    if (range.last() < at) continue;
    if (range.key > last) return false;
    if (!is_word(ref)) {
      const Node& node = nodes_[index_of(ref)];
      open.push_back(node.child[1]);
      open.push_back(node.child[0]);
      continue;
    }
    std::uint64_t bits = words_[index_of(ref)].local;
    if (range.key < at) bits &= ~std::uint64_t{0} << static_cast<unsigned>(at & 63U);
    if (bits == 0) continue;
    at = static_cast<Bits>(range.key | static_cast<Bits>(std::countr_zero(bits)));
    return at <= last;
  }
  return false;
}

/// What is below `within`, or the word that it is a part of; 0 for nothing.
template <typename Bits>
typename WordTrie<Bits>::Ref WordTrie<Bits>::subtree(const Prefix& within) const {
  Ref ref = ref_of(root_, false);
  while (ref != 0) {
    const Prefix here = Prefix::of(key_of(ref), length_of(ref));
    if (within.contains(here)) return ref;
    if (!here.contains(within.key)) return 0;
    if (is_word(ref)) return ref;
    const Node& node = nodes_[index_of(ref)];
    ref = node.child[bit_at(within.key, node.length)];
  }
  return 0;
}

template class WordTrie<std::uint32_t>;
template class WordTrie<Uint128>;

}  // namespace untrombone::core::summary
