#include "objects/internal/xml.h"

#include <gtest/gtest.h>

namespace sluice::objects::internal {
namespace {

TEST(Xml, ReadsWhatS3Answers) {
  const XmlElement root = ParseXml(R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Name>bucket</Name><Prefix/><KeyCount>2</KeyCount>
  <Contents><Key>a&amp;b &#x1F34E;&#10;</Key><Size>5</Size></Contents>
  <Contents a='>' b="/>"><Key><![CDATA[x<y]]></Key></Contents><!-- <no> -->
  <s3:CommonPrefixes><Prefix>d/</Prefix></s3:CommonPrefixes >
</ListBucketResult>
)")
                              .value();
  EXPECT_EQ(root.name, "ListBucketResult");
  EXPECT_EQ(root.TextOf("Name"), "bucket");
  EXPECT_EQ(root.TextOf("Prefix"), "");
  EXPECT_EQ(root.TextOf("Absent"), "");
  ASSERT_EQ(root.children.size(), 6u);
  EXPECT_EQ(root.children[3].TextOf("Key"), "a&b 🍎\n");
  EXPECT_EQ(root.children[4].TextOf("Key"), "x<y");
  EXPECT_EQ(root.Find("CommonPrefixes")->TextOf("Prefix"), "d/");
}

TEST(Xml, RefusesWhatItDoesNotUnderstand) {
  std::string deep;
  for (int i = 0; i < 17; ++i) deep += "<a>";
  for (const std::string& text :
       {std::string(), std::string("text"), std::string("<a>"), std::string("<a></b>"),
        std::string("<a><b></a></b>"), std::string("<a/><b/>"), std::string("<a>&nbsp;</a>"),
        std::string("<a>&amp</a>"), std::string("<a>&#0;</a>"), std::string("<a>&#xD800;</a>"),
        std::string("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"), std::string("<a b='></a>"),
        std::string("<a><!-- </a>"), std::string("< a/>"), std::string("<"), std::string("</a>"),
        deep}) {
    const Result<XmlElement> root = ParseXml(text);
    ASSERT_FALSE(root.ok()) << text;
    EXPECT_EQ(root.error().code(), ErrorCode::kDataLoss);
  }
}

TEST(Xml, EscapedTextReadsBack) {
  const std::string text = "a<b>&\"'\n\t ]]>";
  EXPECT_EQ(ParseXml("<a>" + EscapeXml(text) + "</a>").value().text, text);
}

}  // namespace
}  // namespace sluice::objects::internal
