#include "table/internal/time_pieces.h"

namespace sluice::table::internal {

bool TakeFraction(std::string_view& text, bool cut_fraction, int& micros) {
  micros = 0;
  size_t length = 0;
  for (int unit = 100'000; length < text.size() && IsDigit(text[length]); ++length) {
    int digit = text[length] - '0';
    if (length >= 9 || (unit == 0 && digit != 0 && !cut_fraction)) return false;
    micros += digit * unit;
    unit /= 10;
  }
  text.remove_prefix(length);
  return length > 0;
}

bool TakeZone(std::string_view& text, int& offset_minutes) {
  offset_minutes = 0;
  if (text.empty()) return true;
  if (text == "Z" || text == "z" || text == " UTC" || text == "UTC") {
    text = {};
    return true;
  }
  if (text[0] == ' ' && text.size() > 1) text.remove_prefix(1);
  if (text[0] != '+' && text[0] != '-') return false;
  int sign = text[0] == '-' ? -1 : 1;
  if (text.size() < 3) return false;
  int hours = TwoDigits(text.data() + 1);
  text.remove_prefix(3);
  int minutes = 0;
  if (!text.empty() && text[0] == ':') text.remove_prefix(1);
  if (!text.empty()) {
    if (text.size() < 2) return false;
    minutes = TwoDigits(text.data());
    text.remove_prefix(2);
  }
  if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) return false;
  offset_minutes = sign * (hours * 60 + minutes);
  return true;
}

}  // namespace sluice::table::internal
