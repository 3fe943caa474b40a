#!/usr/bin/env bash
# Build wheel and sdist, install each into an environment with torch alone, and use it there:
#   scripts/checks/try_release.sh FOLDER        the folder then has dist/ and the report of what was installed, installed.json
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mkdir -p "$1" && cd "$1" && pwd)
"$root/.venv/bin/python" -m build --outdir "$folder/dist" "$root"
python3 -m venv "$folder/venv"
install() { "$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check -c "$root/constraints.txt" "$@"; }
install --report "$folder/installed.json" "$folder"/dist/creased-*.whl
for file in "$folder"/dist/creased-*.whl "$folder"/dist/creased-*.tar.gz; do
    install --force-reinstall --no-deps "$file"
    (cd "$folder" && venv/bin/creased --version && venv/bin/creased --help >/dev/null && venv/bin/python -c '
import creased, torch
torch.manual_seed(0)
network = creased.MLP(3, 8, 2)
surface = creased.extract_level_set(network, creased.Box.cube(3, 1.0), network(torch.zeros(1, 3)).item())
creased.save(surface, "mesh.obj")
creased.save(surface, "mesh.ply")')
    grep -q "^f " "$folder/mesh.obj"
    rm "$folder/mesh.obj" "$folder/mesh.ply"
done
