"""What is in the archives, and what their metadata says."""

from collections.abc import Mapping

from packages.building import ROOT, Package, untarred, unzipped
from requirements import requirement

LICENCE = (ROOT / "LICENSE").read_bytes()


@requirement("PKG-archives")
def test_a_wheel_of_the_sdist_is_the_wheel_of_the_tree(package: Package) -> None:
    assert unzipped(package.wheel) == unzipped(package.wheel_of_tree)


@requirement("PKG-archives")
def test_a_wheel_holds_the_package_and_its_licence_and_nothing_else(package: Package) -> None:
    about = f"{package.stem}.dist-info"
    written = {f"{about}/METADATA", f"{about}/WHEEL", f"{about}/RECORD"}
    if "scripts" in package.project:
        written.add(f"{about}/entry_points.txt")
    files = unzipped(package.wheel)
    assert {name: content for name, content in files.items() if name not in written} == {
        **package.sources,
        f"{about}/licenses/LICENSE": LICENCE,
    }
    assert files[f"{package.module}/py.typed"] == b""


@requirement("PKG-archives")
def test_an_sdist_holds_what_a_wheel_is_made_of_and_nothing_else(package: Package) -> None:
    files = dict(untarred(package.sdist))
    # Hatchling adds what git ignores, so that a build from the sdist leaves out the same.
    assert {files.pop(name, None) is not None for name in ("PKG-INFO", "pyproject.toml")} == {True}
    files.pop(".gitignore", None)
    assert files == {
        **{f"src/{name}": content for name, content in package.sources.items()},
        "LICENSE": LICENCE,
        "README.md": (package.tree / "README.md").read_bytes(),
    }


@requirement("PKG-metadata")
def test_the_metadata_says_what_the_project_says(package: Package) -> None:
    project, said = package.project, package.metadata
    assert (said["Name"], said["Version"], said["Summary"]) == (
        project["name"],
        project["version"],
        project["description"],
    )
    assert said["Requires-Python"] == ">=3.11"
    assert (said["License-Expression"], said.get_all("License-File")) == ("MIT", ["LICENSE"])
    assert said.get_all("Provides-Extra", []) == sorted(package.extras)
    assert "Typing :: Typed" in said.get_all("Classifier", [])


@requirement("PKG-metadata")
def test_the_readme_is_the_long_description(package: Package) -> None:
    assert package.metadata["Description-Content-Type"] == "text/markdown"
    assert package.description.strip() == (package.tree / "README.md").read_text(encoding="utf-8").strip()


@requirement("PKG-metadata")
def test_all_packages_have_one_version(packages: Mapping[str, Package]) -> None:
    assert len({package.metadata["Version"] for package in packages.values()}) == 1
