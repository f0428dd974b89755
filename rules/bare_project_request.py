"""ZON006: projects that come into being without a zone."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.project_requests import PROJECT, TEMPLATE, TEMPLATE_NAMESPACE, Requests, requests
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, scalar


@rule(
    "ZON006",
    "A project that a user creates, or creates anew, belongs to no zone",
    severity="medium",
    needs=("ClusterRoleBinding.rbac.authorization.k8s.io", PROJECT),
    undone_by=(PROJECT, TEMPLATE),
    controls=("nist-800-53r5/cm-2", "nist-800-53r5/cm-6", "disa-stig-ocp4/cntr-os-000110", "pci-dss-4.0.1/1.2.8"),
)
def bare_project_request(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: where users may request projects, that the template for new projects is set and complete.

    It has to give each of them a zone label, a NetworkPolicy that isolates it, and a storage quota where some zone
    keeps storage apart.

    Why it matters: whoever administers a project may delete it, and request it again under the same name. What comes
    back has no zone label, no policy and no quota: it is outside the matrix, and every pod may talk to it.

    How to fix: take the right away (`oc patch clusterrolebinding self-provisioners -p '{"subjects": null}'`), or make a
    template (`oc adm create-bootstrap-project-template -o yaml`), add the parts, and name it in the configuration.

    Limits: rights to create projects other than by the role `self-provisioner` are a question of access rights. A
    template gives every project the same label, so it should name a zone for what nobody has placed yet. OpenShift 3
    keeps the name of the template in the configuration of its masters, which no snapshot shows.
    """
    product = context.inventory.profile.product
    if product in ("", "kubernetes"):
        yield NotApplicable("nothing in the input is of OpenShift, and only OpenShift has project requests")
        return
    older = not any(True for _ in context.scene.of("ClusterRoleBinding.authorization.openshift.io"))
    if older and (missing := context.missing("ClusterRoleBinding.rbac.authorization.k8s.io")):
        yield missing
        return
    found = context.of(requests)
    if found.binding is None:
        return
    if product == "openshift-3":
        yield NotEvaluated(
            f"{', '.join(found.subjects)} may request projects, and the template for them is named in the "
            "configuration of the masters, which is no object of the cluster"
        )
    elif found.project is None and (missing := context.missing(PROJECT)):
        yield missing
    elif found.template and found.template_ref is None:
        yield NotEvaluated(f"the input does not hold Template {TEMPLATE_NAMESPACE}/{found.template}")
    elif not found.template or found.lacking:
        yield _finding(found)


def _finding(found: Requests) -> Finding:
    who = ", ".join(found.subjects)
    lacking = " and ".join(found.lacking) if found.template else ""
    bare = not found.template or len(found.lacking) == len(found.wanted)
    template = f"template {found.template} for new projects"
    subject = found.template_ref or found.project or found.binding
    return Finding(
        title=(f"{template} gives them no {lacking}" if lacking else "new projects come from no template of their own")
        + ("" if bare else ", which somebody has to add by hand"),
        subjects=(subject,) if subject else (),
        severity="medium" if bare else "low",
        expected=f"a template with {', '.join(found.wanted)}, or nobody who may request projects",
        observed=f"{who} may request projects; "
        + (f"{template}: no {lacking}" if lacking else "projectRequestTemplate is not set"),
        fix=_fix(found),
        identity=tuple(found.lacking),
    )


def _fix(found: Requests) -> str:
    if found.template:
        name = f"{TEMPLATE_NAMESPACE}"
        return f"Add the missing parts to the template.\n\noc edit template {scalar(found.template)} -n {name}"
    return (
        "Make a template with the zone's label, policy and quota, and name it; or let nobody request projects.\n\n"
        "apiVersion: config.openshift.io/v1\n"
        "kind: Project\n"
        "metadata: {name: cluster}\n"
        "spec:\n"
        "  projectRequestTemplate: {name: project-request}"
    )
