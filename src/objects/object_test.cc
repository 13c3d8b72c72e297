#include "objects/object.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::objects {
namespace {

TreeEntry File(std::string name, std::string_view content) {
  return {std::move(name), ObjectKind::kFile, ComputeSha256(content),
          static_cast<int64_t>(content.size())};
}

TEST(ObjectId, ReadsWhatItPrints) {
  for (ObjectKind kind : {ObjectKind::kFile, ObjectKind::kExecutable, ObjectKind::kTree}) {
    ObjectId id{kind, ComputeSha256("x")};
    EXPECT_EQ(ObjectId::Parse(id.ToString()).value(), id);
  }
  std::string hex = ComputeSha256("x").ToHex();
  for (const std::string& wrong :
       std::vector<std::string>{"", hex, "tree:", "tree:abc", "Tree:" + hex, "tree:" + hex + " "}) {
    EXPECT_FALSE(ObjectId::Parse(wrong).ok()) << wrong;
  }
}

// The bytes are a format: this digest may never change.
TEST(Tree, HasCanonicalBytes) {
  Tree tree{File("b.txt", "two"),
            File("a b.txt", "one"),
            {"sub", ObjectKind::kTree, ComputeSha256("t"), 7}};
  tree[0].kind = ObjectKind::kExecutable;
  std::string expected = "sluice-tree 1\nfile " + ComputeSha256("one").ToHex() +
                         " 3 a b.txt\nexec " + ComputeSha256("two").ToHex() + " 3 b.txt\ntree " +
                         ComputeSha256("t").ToHex() + " 7 sub\n";
  EXPECT_EQ(EncodeTree(tree).value(), expected);
  EXPECT_EQ(IdentifyTree({}).value().id.digest.ToHex(), ComputeSha256("sluice-tree 1\n").ToHex());
  EXPECT_EQ(IdentifyTree(tree).value().size_bytes, 13);
}

TEST(Tree, DecodesWhatItEncoded) {
  Tree tree{File("a", "1"), File("b", ""), File("\xc3\xa9", "3")};
  EXPECT_EQ(DecodeTree(EncodeTree(tree).value()).value(), tree);
  EXPECT_TRUE(DecodeTree("sluice-tree 1\n").value().empty());
}

TEST(Tree, RefusesNamesThatLeaveTheFolderOrHideInIt) {
  for (std::string_view name :
       {std::string_view(""), std::string_view("."), std::string_view(".."),
        std::string_view("a/b"), std::string_view("/etc"), std::string_view("a\nb"),
        std::string_view("a\0b", 3), std::string_view("\x7f")}) {
    EXPECT_EQ(EncodeTree({File(std::string(name), "x")}).error().code(),
              ErrorCode::kInvalidArgument);
  }
  EXPECT_FALSE(CheckEntryName(std::string(256, 'a')).ok());
  EXPECT_TRUE(CheckEntryName(std::string(255, 'a')).ok());
  EXPECT_TRUE(CheckEntryName("...").ok());
  EXPECT_TRUE(CheckEntryName(" leading and trailing ").ok());
  EXPECT_EQ(EncodeTree({File("a", "1"), File("a", "2")}).error().code(),
            ErrorCode::kInvalidArgument);
}

TEST(Tree, RefusesEveryOtherText) {
  std::string hex = ComputeSha256("x").ToHex();
  std::string header = "sluice-tree 1\n";
  struct Case {
    std::string text;
    std::string message;
  };
  for (const Case& wrong : std::vector<Case>{
           {"", "must begin with"},
           {"sluice-tree 2\n", "must begin with"},
           {header + "file " + hex + " 1 a", "its end is missing"},
           {header + "file " + hex + " 1 b\nfile " + hex + " 1 a\n", "out of order"},
           {header + "file " + hex + " 1 a\nfile " + hex + " 1 a\n", "out of order"},
           {header + "file " + hex + " 01 a\n", "'01' is not a size"},
           {header + "file " + hex + " -1 a\n", "'-1' is not a size"},
           {header + "file " + hex + " +1 a\n", "not a size"},
           {header + "file " + hex + "  a\n", "'' is not a size"},
           {header + "file " + hex + " 9223372036854775808 a\n", "not a size"},
           {header + "file " + hex + " 9223372036854775807 a\nfile " + hex + " 1 b\n", "overflow"},
           {header + "link " + hex + " 1 a\n", "no kind of object"},
           {header + "file abc 1 a\n", "line 2"},
           {header + "file " + hex + " 1 ..\n", "another folder"},
           {header + "file " + hex + " 1 a/b\n", "slash"},
           {header + "file " + hex + " 1 \n", "empty"},
           {header + "\n", "not 'kind digest size name'"},
       }) {
    Result<Tree> tree = DecodeTree(wrong.text);
    ASSERT_FALSE(tree.ok()) << wrong.text;
    EXPECT_EQ(tree.error().code(), ErrorCode::kDataLoss);
    EXPECT_NE(tree.error().message().find(wrong.message), std::string::npos)
        << tree.error().message();
  }
}

}  // namespace
}  // namespace sluice::objects
