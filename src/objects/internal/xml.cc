#include "objects/internal/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace sluice::objects::internal {
namespace {

constexpr int kDepthMax = 16;
constexpr size_t kElementCountMax = 1'000'000;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

void AppendUtf8(uint32_t point, std::string& out) {
  const auto byte = [&](uint32_t value) { out += static_cast<char>(value); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xC0 | (point >> 6));
    byte(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    byte(0xE0 | (point >> 12));
    byte(0x80 | ((point >> 6) & 0x3F));
    byte(0x80 | (point & 0x3F));
  } else {
    byte(0xF0 | (point >> 18));
    byte(0x80 | ((point >> 12) & 0x3F));
    byte(0x80 | ((point >> 6) & 0x3F));
    byte(0x80 | (point & 0x3F));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<XmlElement> Parse() {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    RETURN_IF_ERROR(SkipMarkup());
    ASSIGN_OR_RETURN(XmlElement root, ParseElement(0));
    RETURN_IF_ERROR(SkipMarkup());
    if (!text_.empty()) return Malformed("there is something behind the root element");
    return root;
  }

 private:
  static Error Malformed(std::string_view why) {
    return DataLoss("malformed XML: " + std::string(why));
  }

  /// Blanks, comments and processing instructions.
  Status SkipMarkup() {
    while (true) {
      while (!text_.empty() && IsBlank(text_.front())) text_.remove_prefix(1);
      std::string_view end;
      if (text_.starts_with("<?"))
        end = "?>";
      else if (text_.starts_with("<!--"))
        end = "-->";
      else
        return Ok();
      const size_t at = text_.find(end);
      if (at == std::string_view::npos) return Malformed("an instruction or comment does not end");
      text_.remove_prefix(at + end.size());
    }
  }

  Result<XmlElement> ParseElement(int depth) {
    if (depth == kDepthMax) return Malformed("elements are nested too deeply");
    if (++element_count_ > kElementCountMax) return Malformed("there are too many elements");
    if (text_.size() < 2 || text_[0] != '<' || text_[1] == '!') {
      return Malformed("an element was expected");
    }
    text_.remove_prefix(1);
    XmlElement element;
    ASSIGN_OR_RETURN(const std::string_view name, TakeName());
    element.name = name.substr(name.rfind(':') + 1);
    ASSIGN_OR_RETURN(const bool is_empty, FinishOpeningTag());
    if (is_empty) return element;
    RETURN_IF_ERROR(ParseContent(element, depth));
    if (!text_.starts_with(name)) return Malformed("an end tag has another name");
    text_.remove_prefix(name.size());
    while (!text_.empty() && IsBlank(text_.front())) text_.remove_prefix(1);
    if (!text_.starts_with('>')) return Malformed("an end tag does not end");
    text_.remove_prefix(1);
    return element;
  }

  Result<std::string_view> TakeName() {
    size_t size = 0;
    while (size < text_.size() && !IsBlank(text_[size]) && text_[size] != '>' &&
           text_[size] != '/' && text_[size] != '<' && text_[size] != '=') {
      ++size;
    }
    if (size == 0) return Malformed("an element has no name");
    const std::string_view name = text_.substr(0, size);
    text_.remove_prefix(size);
    return name;
  }

  /// Passes over attributes; true for "/>".
  Result<bool> FinishOpeningTag() {
    while (!text_.empty()) {
      const char c = text_.front();
      text_.remove_prefix(1);
      if (c == '>') return false;
      if (c == '/' && text_.starts_with('>')) {
        text_.remove_prefix(1);
        return true;
      }
      if (c == '"' || c == '\'') {
        const size_t end = text_.find(c);
        if (end == std::string_view::npos) break;
        text_.remove_prefix(end + 1);
      }
    }
    return Malformed("a tag does not end");
  }

  /// Up to and with the "</" of the element's end.
  Status ParseContent(XmlElement& element, int depth) {
    while (true) {
      const size_t tag = text_.find('<');
      if (tag == std::string_view::npos) return Malformed("an element does not end");
      RETURN_IF_ERROR(AppendText(text_.substr(0, tag), element.text));
      text_.remove_prefix(tag);
      if (text_.starts_with("</")) {
        text_.remove_prefix(2);
        return Ok();
      }
      if (text_.starts_with("<![CDATA[")) {
        constexpr size_t kOpening = 9;
        const size_t end = text_.find("]]>");
        if (end == std::string_view::npos) return Malformed("a CDATA section does not end");
        element.text += text_.substr(kOpening, end - kOpening);
        text_.remove_prefix(end + 3);
      } else if (text_.starts_with("<!--") || text_.starts_with("<?")) {
        RETURN_IF_ERROR(SkipMarkup());
      } else {
        ASSIGN_OR_RETURN(XmlElement child, ParseElement(depth + 1));
        element.children.push_back(std::move(child));
      }
    }
  }

  static Status AppendText(std::string_view raw, std::string& out) {
    while (!raw.empty()) {
      const size_t amp = std::min(raw.find('&'), raw.size());
      out += raw.substr(0, amp);
      raw.remove_prefix(amp);
      if (raw.empty()) break;
      const size_t end = raw.find(';');
      if (end == std::string_view::npos) return Malformed("a reference does not end");
      RETURN_IF_ERROR(AppendReference(raw.substr(1, end - 1), out));
      raw.remove_prefix(end + 1);
    }
    return Ok();
  }

  static Status AppendReference(std::string_view name, std::string& out) {
    if (name == "amp")
      out += '&';
    else if (name == "lt")
      out += '<';
    else if (name == "gt")
      out += '>';
    else if (name == "quot")
      out += '"';
    else if (name == "apos")
      out += '\'';
    else if (name.starts_with('#')) {
      const bool is_hex = name.starts_with("#x");
      const std::string_view digits = name.substr(is_hex ? 2 : 1);
      uint32_t point = 0;
      const auto [stop, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), point, is_hex ? 16 : 10);
      if (error != std::errc() || stop != digits.data() + digits.size() || point == 0 ||
          point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
        return Malformed("a reference names no character");
      }
      AppendUtf8(point, out);
    } else {
      return Malformed("an unknown entity");
    }
    return Ok();
  }

  std::string_view text_;
  size_t element_count_ = 0;
};

}  // namespace

const XmlElement* XmlElement::Find(std::string_view child) const {
  const auto found = std::ranges::find(children, child, &XmlElement::name);
  return found == children.end() ? nullptr : &*found;
}

std::string_view XmlElement::TextOf(std::string_view child) const {
  const XmlElement* const found = Find(child);
  return found == nullptr ? std::string_view() : std::string_view(found->text);
}

Result<XmlElement> ParseXml(std::string_view text) { return Parser(text).Parse(); }

std::string EscapeXml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          escaped += fmt::format("&#{};", static_cast<int>(c));
        } else {
          escaped += c;
        }
    }
  }
  return escaped;
}

}  // namespace sluice::objects::internal
