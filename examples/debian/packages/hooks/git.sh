# shellcheck shell=dash disable=SC2154
wrap git "GIT_EXEC_PATH=$out/lib/git-core" "GIT_TEMPLATE_DIR=$out/share/git-core/templates"
