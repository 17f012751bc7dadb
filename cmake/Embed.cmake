# Files as constants of the program: the bytes themselves, whatever they hold, and no tool but CMake.
#
#   seed_embed(TARGET NAMESPACE name=path...)
#
# adds a source to TARGET that defines `const std::string_view NAMESPACE::name`; a header of the
# target's declares them. The same files give the same source on any machine.
if(CMAKE_SCRIPT_MODE_FILE)
  set(text "#include <string_view>\n\nnamespace ${NAMESPACE} {\n")
  foreach(entry IN LISTS FILES)
    string(REGEX MATCH "^([^=]+)=(.*)$" matched "${entry}")
    set(name "${CMAKE_MATCH_1}")
    file(READ "${CMAKE_MATCH_2}" hex HEX)
    string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${hex}")
    string(REPLACE "'\\x0a'," "'\\x0a',\n" bytes "${bytes}")
    string(APPEND text "namespace {\nconstexpr char ${name}_bytes[] = {\n${bytes}};\n}  // namespace\n"
      "extern const std::string_view ${name};\n"
      "const std::string_view ${name}(${name}_bytes, sizeof ${name}_bytes);\n")
  endforeach()
  file(WRITE "${OUTPUT}" "${text}}  // namespace ${NAMESPACE}\n")
  return()
endif()

set(SEED_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_FILE}")

function(seed_embed target namespace)
  set(output "${CMAKE_CURRENT_BINARY_DIR}/embedded/${target}.cpp")
  set(entries)
  set(paths)
  foreach(entry IN LISTS ARGN)
    string(REGEX MATCH "^([^=]+)=(.*)$" matched "${entry}")
    list(APPEND entries "${CMAKE_MATCH_1}=${CMAKE_CURRENT_SOURCE_DIR}/${CMAKE_MATCH_2}")
    list(APPEND paths "${CMAKE_CURRENT_SOURCE_DIR}/${CMAKE_MATCH_2}")
  endforeach()
  add_custom_command(OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" "-DNAMESPACE=${namespace}" "-DFILES=${entries}" "-DOUTPUT=${output}"
      -P "${SEED_EMBED_SCRIPT}"
    DEPENDS ${paths} "${SEED_EMBED_SCRIPT}"
    VERBATIM)
  target_sources(${target} PRIVATE "${output}")
endfunction()
