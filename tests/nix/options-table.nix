# The tables of options in docs/flake.md, by name.
let
  inherit (import ../../lib) options;
  inherit (builtins)
    attrNames
    concatStringsSep
    mapAttrs
    replaceStrings
    ;
  # A bar would end the cell.
  cell = replaceStrings [ "|" ] [ "\\|" ];
  row =
    table: name:
    let
      option = table.${name};
    in
    "| `${name}` | ${cell option.type.is} | ${cell (option.default or "must be given")} | ${cell option.doc} | `${cell option.example}` |";
in
mapAttrs (
  _: table:
  concatStringsSep "\n" (
    [
      "| option | is | default | says | for example |"
      "|---|---|---|---|---|"
    ]
    ++ map (row table) (attrNames table)
  )
) options
