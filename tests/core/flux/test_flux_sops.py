"""SOPS: what is encrypted stays opaque, its change is visible, and whom it is encrypted for is no change."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest
from deployed import CONFIG_MAP, Deployed, deployed, kustomization

from review_bot.core.model import Severity

HERE = "clusters/here/apps.yaml"


def built(root: Path, spec: str, text: str) -> Deployed:
    return deployed(root, {HERE: kustomization("apps", spec), "apps/a.yaml": text})


ENCRYPTED = """\
apiVersion: v1
kind: Secret
metadata: {name: login, namespace: flux-system}
stringData: {password: "ENC[AES256_GCM,data:%s,iv:a=,tag:b=,type:str]"}
data: {old: "ENC[AES256_GCM,data:%s,iv:a=,tag:b=,type:str]"}
sops: {mac: "ENC[AES256_GCM,data:m,iv:a=,tag:b=,type:str]", version: 3.9.0}
"""
DECRYPTION = "decryption: {provider: sops}"


def test_encrypted_values_are_opaque_and_their_change_is_visible(tmp_path: Path) -> None:
    one, other = (
        built(tmp_path / word, DECRYPTION, ENCRYPTED % (word, "same")).only("flux:apps", "Secret")
        for word in ("x", "y")
    )
    assert "sops" not in one
    assert one["stringData"]["password"].startswith("sops-")
    assert one["stringData"] != other["stringData"]
    assert one["data"] == other["data"]
    assert base64.b64decode(one["data"]["old"]).startswith(b"sops-")


def test_what_nothing_decrypts_is_refused_as_by_the_controller(tmp_path: Path) -> None:
    found = built(tmp_path, "", ENCRYPTED % ("x", "y"))
    assert "is encrypted with SOPS, and nothing decrypts it" in found.findings[0].message
    assert found.rendered["flux:apps"].failed


def test_an_encrypted_variable_is_opaque_where_it_is_used(tmp_path: Path) -> None:
    found = deployed(
        tmp_path,
        {
            HERE: kustomization("vars", DECRYPTION, "vars"),
            "clusters/here/apps.yml": kustomization(
                "apps", "postBuild: {substituteFrom: [{kind: Secret, name: login}]}"
            ),
            "vars/login.yaml": ENCRYPTED % ("x", "y") + "---\n" + kustomization("apps", "", "leads-on"),
            "apps/a.yaml": CONFIG_MAP.replace("value", "'${password}'"),
        },
    )
    assert found.only("flux:apps")["data"]["key"].startswith("sops-")


def test_an_object_may_ask_to_stay_encrypted(tmp_path: Path) -> None:
    mark = "metadata: {annotations: {kustomize.toolkit.fluxcd.io/decrypt: Disabled}, "
    found = built(tmp_path, "", (ENCRYPTED % ("x", "y")).replace("metadata: {", mark))
    assert found.said() == []
    assert "sops" in found.only("flux:apps", "Secret")


def enc(value: str) -> str:
    return f"ENC[AES256_GCM,data:{value},iv:a=,tag:b=,type:str]"


FILES = {
    "x.env": "PASSWORD=%s\nsops_version=3.9.0\nsops_age__list_0__map_enc=%s\nsops_mac=" + enc("m") + "\n",
    "x.yaml": "password: %s\nsops:\n    age: [{enc: '%s'}]\n    mac: " + enc("m") + "\n",
    "x.json": '{"password": "%s", "sops": {"age": [{"enc": "%s"}], "mac": "' + enc("m") + '"}}',
    "x.ini": "[login]\npassword = %s\n\n[sops]\nage__list_0__map_enc = %s\nmac = " + enc("m") + "\n",
    "x.bin": '{"data": "%s", "sops": {"age": [{"enc": "%s"}], "mac": "' + enc("m") + '"}}',
}


def generated(root: Path, kind: str, field: str, name: str, value: str, recipient: str) -> Deployed:
    files = {
        HERE: kustomization("apps", DECRYPTION),
        "apps/kustomization.yaml": (
            f"{kind}Generator: [{{name: made, {field}: [{name}]}}]\ngeneratorOptions: {{disableNameSuffixHash: true}}\n"
        ),
        f"apps/{name}": FILES[name] % (enc(value), recipient),
    }
    return deployed(root, files)


@pytest.mark.parametrize(("field", "name"), [("envs", "x.env"), *(("files", name) for name in FILES)])
def test_files_of_a_secret_generator_are_decrypted(tmp_path: Path, field: str, name: str) -> None:
    """Whole files in all formats of SOPS, and dotenv files value by value."""

    def made(value: str, recipient: str) -> Mapping[str, str]:
        found = generated(tmp_path / f"{value}{recipient}", "secret", field, name, value, recipient)
        assert found.said() == []
        return dict(found.only("flux:apps", "Secret")["data"])

    one = made("x", "you")
    assert one.keys() == ({"PASSWORD"} if field == "envs" else {name})
    assert all(base64.b64decode(value).startswith(b"sops-") for value in one.values())
    assert made("y", "you") != one
    assert made("x", "them") == one


@pytest.mark.parametrize(("field", "name"), [("envs", "x.env"), *(("files", name) for name in FILES)])
def test_flux_decrypts_no_files_of_a_config_map_generator(tmp_path: Path, field: str, name: str) -> None:
    found = generated(tmp_path, "configMap", field, name, "x", "you")
    assert [(f.rule, f.severity, f.target) for f in found.findings] == [
        ("still-encrypted", Severity.WARNING, "flux:apps")
    ]
    data = found.only("flux:apps")["data"]
    assert data.keys() == ({"PASSWORD"} if field == "envs" else {name})
    assert all(value.startswith("sops-") for value in data.values())
