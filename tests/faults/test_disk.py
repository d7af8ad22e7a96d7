"""A disk that is full, refuses, or loses a folder."""

import shutil

import pytest

from .conftest import CHANGED, REPORT

COMMAND = [*REPORT, *CHANGED]
MENDS = {
    "ENOSPC": "No space left on device; free some space and run it again",
    "EDQUOT": "free some space and run it again",
    "EACCES": "Permission denied; allow writing there",
    "EROFS": "Read-only file system; allow writing there",
}
# A full disk is tried all along a build, what else a system may answer at two places.
OTHERS = [what for what in MENDS if what != "ENOSPC"]

pytestmark = [pytest.mark.slow]


@pytest.mark.fault("files limited in size")
@pytest.mark.parametrize("limit", [200, 2_000, 20_000, 60_000, 200_000, 1_000_000])
def test_a_limit_on_the_size_of_files_is_named_and_leaves_the_last_report(world, survives, limit):
    status, _, said = world.run(COMMAND, {"limit": limit})
    assert status in (1, 2), said
    assert "Traceback" not in said
    assert "File too large" in said or "SIGXFSZ" in said or "notebooks/" in said, said
    survives()


@pytest.mark.fault("the system refuses to write")
@pytest.mark.parametrize(
    ("what", "share"),
    [
        *(("ENOSPC", share) for share in (0, 0.2, 0.5, 0.8, 0.95)),
        *((what, share) for what in OTHERS for share in (0.3, 0.7)),
    ],
)
def test_a_refusal_is_named_with_its_mend_and_leaves_the_last_report(world, survives, writes, what, share):
    fault = {"at": 1 + int(share * writes), "root": str(world.root), "do": f"raise {what}"}
    status, _, said = world.run(COMMAND, fault)
    assert status == 2, said
    assert MENDS[what] in said
    assert "The previous report is as it was." in said
    assert "Traceback" not in said
    survives()


@pytest.mark.fault("a folder is removed")
@pytest.mark.parametrize("folder", ["_build", "data", "notebooks"])
@pytest.mark.parametrize(
    "stage", ["dataset", "carry_out", "pages", "write_outputs", "write_bundle", "_require"]
)
def test_a_folder_removed_midway_never_ends_in_half_a_report(world, survives, folder, stage):
    kept = shutil.copytree(world.root / folder, world.place.parent / f"{world.place.name}-kept")
    try:
        status, _, said = world.run(COMMAND, {"at": f"report:{stage}", "do": f"remove {world.root / folder}"})
        assert status in (0, 1, 2)
        assert "Traceback" not in said
        assert status == 0 or "run it again" in said or "notebook" in said or "data" in said, said

        def put_back() -> None:
            if folder != "_build":
                shutil.rmtree(world.root / folder, ignore_errors=True)
                shutil.copytree(kept, world.root / folder)

        if folder == "_build":
            world.run(COMMAND)
        survives(mend=put_back)
    finally:
        shutil.rmtree(kept)


@pytest.mark.fault("a folder is removed")
def test_a_folder_of_temporary_files_removed_midway_is_named(world, survives):
    status, _, said = world.run(COMMAND, {"at": "report:carry_out", "do": f"remove {world.place}"})
    world.place.mkdir()
    assert status in (0, 1, 2)
    assert "Traceback" not in said
    survives()
