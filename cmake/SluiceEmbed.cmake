# sluice_embed(TARGET target NAMESPACE ns FILES a.css b.sql ...)
#
# Compiles files into `target` as bytes. The generated header "<target>_embedded.h" declares
#   namespace ns { struct EmbeddedFile { std::string_view name; std::string_view content; };
#                  std::span<const EmbeddedFile> EmbeddedFiles(); }
# with names relative to the directory of the calling CMakeLists.txt, in the order given.
function(sluice_embed)
  cmake_parse_arguments(arg "" "TARGET;NAMESPACE" "FILES" ${ARGN})
  set(out "${CMAKE_CURRENT_BINARY_DIR}/embedded")
  set(header "${out}/${arg_TARGET}_embedded.h")
  set(source "${out}/${arg_TARGET}_embedded.cc")
  set(inputs "")
  foreach(file IN LISTS arg_FILES)
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    list(APPEND inputs "${file}")
  endforeach()
  add_custom_command(
    OUTPUT "${header}" "${source}"
    COMMAND python3 "${CMAKE_SOURCE_DIR}/tools/embed.py" --namespace "${arg_NAMESPACE}" --header "${header}"
            --source "${source}" --base "${CMAKE_CURRENT_SOURCE_DIR}" ${inputs}
    DEPENDS "${CMAKE_SOURCE_DIR}/tools/embed.py" ${inputs}
    VERBATIM)
  target_sources(${arg_TARGET} PRIVATE "${source}" "${header}")
  target_include_directories(${arg_TARGET} PRIVATE "${out}")
endfunction()
