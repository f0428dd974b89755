"""Manifests as people, generators and old clusters write them: oddly. One line each, by what is odd."""

from __future__ import annotations

from collections.abc import Iterator

_POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: odd, namespace: web}}
spec: {{{}}}
"""

POLICIES = (
    # nothing, null and empty
    "",
    "podSelector: {}",
    "podSelector: null",
    "podSelector:",
    "podSelector: {matchLabels: {}}",
    "podSelector: {matchLabels: null}",
    "podSelector: {matchExpressions: []}",
    "podSelector: {matchExpressions: null}",
    "podSelector: {matchExpressions: [null]}",
    "podSelector: {matchLabels: {app: null}}",
    "podSelector: []",
    "podSelector: all",
    "podSelector: {app: shop}",
    "ingress: null",
    "ingress: []",
    "ingress: [null]",
    "ingress: [{}]",
    "ingress: [null, {from: [{podSelector: {}}]}]",
    "ingress: {}",
    "ingress: [[]]",
    "ingress: ['']",
    "ingress: ''",
    "ingress: [{from: null}]",
    "ingress: [{from: []}]",
    "ingress: [{from: [null]}]",
    "ingress: [{from: [{}]}]",
    "ingress: [{from: [{}, {podSelector: {}}]}]",
    "ingress: [{from: {}}]",
    "ingress: [{from: [[]]}]",
    "ingress: [{ports: null}]",
    "ingress: [{ports: []}]",
    "ingress: [{ports: [null]}]",
    "ingress: [{ports: [{}]}]",
    "ingress: [{ports: {}}]",
    "ingress: [{ports: [80]}]",
    "ingress: [{from: null, ports: null}]",
    "ingress: [{to: [{podSelector: {}}]}]",
    "egress: null",
    "egress: []",
    "egress: [null]",
    "egress: [{}]",
    "egress: [{to: null}]",
    "egress: [{to: []}]",
    "egress: [{to: [null]}]",
    "egress: [{to: [{}]}]",
    "egress: [{from: [{podSelector: {}}]}]",
    # which directions are isolated
    "policyTypes: null",
    "policyTypes: []",
    "policyTypes: [Ingress]",
    "policyTypes: [Egress]",
    "policyTypes: [Ingress, Egress]",
    "policyTypes: [Egress, Ingress]",
    "policyTypes: [Ingress, Ingress]",
    "policyTypes: [Ingress, Egress, Ingress]",
    "policyTypes: [Egress, Egress]",
    "policyTypes: [ingress]",
    "policyTypes: ['']",
    "policyTypes: [null]",
    "policyTypes: Ingress",
    "policyTypes: {}",
    "policyTypes: [Ingress], egress: [{}]",
    "policyTypes: [Egress], ingress: [{}]",
    "policyTypes: [Egress], ingress: [{ports: [{port: 0}]}]",
    "policyTypes: [], egress: [{to: [{podSelector: {}}]}]",
    "policyTypes: [], egress: []",
    "ingress: [], egress: []",
    "ingress: [], egress: [null]",
    "ingress: [{}], egress: [{ports: [{port: 53, protocol: UDP}]}]",
    # protocols and ports
    "ingress: [{ports: [{port: 8080}]}]",
    "ingress: [{ports: [{port: 8080, protocol: null}]}]",
    "ingress: [{ports: [{port: 8080, protocol: ''}]}]",
    "ingress: [{ports: [{port: 8080, protocol: TCP}]}]",
    "ingress: [{ports: [{port: 8080, protocol: tcp}]}]",
    "ingress: [{ports: [{port: 8080, protocol: UDP}]}]",
    "ingress: [{ports: [{port: 8080, protocol: SCTP}]}]",
    "ingress: [{ports: [{port: 8080, protocol: ICMP}]}]",
    "ingress: [{ports: [{port: 8080, protocol: 6}]}]",
    "ingress: [{ports: [{protocol: UDP}]}]",
    "ingress: [{ports: [{protocol: UDP, port: null}]}]",
    "ingress: [{ports: [{protocol: ICMP}]}]",
    "ingress: [{ports: [{port: 0}]}]",
    "ingress: [{ports: [{port: -1}]}]",
    "ingress: [{ports: [{port: 1}]}]",
    "ingress: [{ports: [{port: 65535}]}]",
    "ingress: [{ports: [{port: 65536}]}]",
    "ingress: [{ports: [{port: 4294967376}]}]",
    "ingress: [{ports: [{port: 80.0}]}]",
    "ingress: [{ports: [{port: 80.5}]}]",
    "ingress: [{ports: [{port: 8e1}]}]",
    "ingress: [{ports: [{port: 0x50}]}]",
    "ingress: [{ports: [{port: 0o120}]}]",
    "ingress: [{ports: [{port: 0120}]}]",
    "ingress: [{ports: [{port: 1_0}]}]",
    "ingress: [{ports: [{port: 1:20}]}]",
    "ingress: [{ports: [{port: true}]}]",
    "ingress: [{ports: [{port: '8080'}]}]",
    "ingress: [{ports: [{port: ''}]}]",
    "ingress: [{ports: [{port: http}]}]",
    "ingress: [{ports: [{port: metrics, protocol: UDP}]}]",
    "ingress: [{ports: [{port: nobody-has-it}]}]",
    "ingress: [{ports: [{port: HTTP}]}]",
    "ingress: [{ports: [{port: -http}]}]",
    "ingress: [{ports: [{port: http-}]}]",
    "ingress: [{ports: [{port: a--b}]}]",
    "ingress: [{ports: [{port: 8-8}]}]",
    "ingress: [{ports: [{port: 8a}]}]",
    "ingress: [{ports: [{port: 1e3a}]}]",
    "ingress: [{ports: [{port: abcdefghijklmno}]}]",
    "ingress: [{ports: [{port: abcdefghijklmnop}]}]",
    "ingress: [{ports: [{port: [80]}]}]",
    "ingress: [{ports: [{port: {}}]}]",
    "ingress: [{ports: [{port: 8080, endPort: 8090}]}]",
    "ingress: [{ports: [{port: 8080, endPort: 8080}]}]",
    "ingress: [{ports: [{port: 8080, endPort: 8079}]}]",
    "ingress: [{ports: [{port: 8080, endPort: 65535}]}]",
    "ingress: [{ports: [{port: 8080, endPort: 65536}]}]",
    "ingress: [{ports: [{port: 8080, endPort: 0}]}]",
    "ingress: [{ports: [{port: 8080, endPort: null}]}]",
    "ingress: [{ports: [{port: 8080, endPort: '8090'}]}]",
    "ingress: [{ports: [{port: 8080, endPort: 8090.0}]}]",
    "ingress: [{ports: [{port: http, endPort: 8090}]}]",
    "ingress: [{ports: [{port: http, endPort: null}]}]",
    "ingress: [{ports: [{endPort: 8090}]}]",
    "ingress: [{ports: [{protocol: UDP, endPort: 8090}]}]",
    "ingress: [{ports: [{port: 8080}, {port: 8080}]}]",
    "ingress: [{ports: [{port: 8080}, {port: 53, protocol: UDP}, {port: http}]}]",
    # peers
    "ingress: [{from: [{podSelector: null}]}]",
    "ingress: [{from: [{podSelector: {}}]}]",
    "ingress: [{from: [{namespaceSelector: {}}]}]",
    "ingress: [{from: [{namespaceSelector: null}]}]",
    "ingress: [{from: [{namespaceSelector: null, podSelector: {}}]}]",
    "ingress: [{from: [{namespaceSelector: {}, podSelector: null}]}]",
    "ingress: [{from: [{namespaceSelector: {}, podSelector: {}}]}]",
    "ingress: [{from: [{namespaceSelector: {matchLabels: {zone: inner}}, podSelector: {matchLabels: {app: pg}}}]}]",
    "ingress: [{from: [{namespaceSelector: {matchLabels: {zone: inner}}}, {podSelector: {matchLabels: {app: pg}}}]}]",
    "ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: db}}}]}]",
    "ingress: [{from: [{podSelector: {}, ipBlock: null}]}]",
    "ingress: [{from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]",
    "ingress: [{from: [{namespaceSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]",
    "ingress: [{from: [{podSelector: null, ipBlock: {cidr: 10.0.0.0/8}}]}]",
    "ingress: [{from: [{ipBlock: null}]}]",
    "ingress: [{from: [{ipBlock: {}}]}]",
    "ingress: [{from: [{service: {name: shop}}]}]",
    # address blocks
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: '::/0'}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.1/8}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.1}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.1/32}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0/24}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 010.0.0.0/8}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/08}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/255.0.0.0}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: ' 10.0.0.0/8'}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8 }}]}]",
    "ingress: [{from: [{ipBlock: {cidr: '10.0.0.0/8 '}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/+8}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/-8}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: ''}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: null}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: all}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 'fd00::/8'}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 'FD00::/8'}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 'fd00:0000::/8'}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 'fd00::1/8'}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: '[fd00::]/8'}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 'fe80::%eth0/64'}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: '::ffff:10.0.0.0/104'}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: '::ffff:a00:0/104'}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: '::ffff:0:0/96'}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: null}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: []}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.1.0.0/16]}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.1/16]}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [0.0.0.0/0]}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [192.168.0.0/16]}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: ['fd00::/16']}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [null]}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: ['']}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: 10.1.0.0/16}}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/9, 10.128.0.0/9]}}]}]",
    "egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]",
    # selectors
    "podSelector: {matchLabels: {app: shop}}",
    "podSelector: {matchLabels: {app: ''}}",
    "podSelector: {matchLabels: {app: y}}",
    "podSelector: {matchLabels: {app: yes}}",
    "podSelector: {matchLabels: {app: 1}}",
    "podSelector: {matchLabels: {app: 1.20}}",
    "podSelector: {matchLabels: {app: '1.20'}}",
    "podSelector: {matchLabels: {app: 2026-01-01}}",
    "podSelector: {matchLabels: {app: 22:22}}",
    "podSelector: {matchLabels: {app: -a}}",
    "podSelector: {matchLabels: {-app: a}}",
    "podSelector: {matchLabels: {'': a}}",
    "podSelector: {matchLabels: {a/b/c: a}}",
    "podSelector: {matchLabels: {Example.com/a: a}}",
    "podSelector: {matchLabels: {/a: a}}",
    "podSelector: {matchExpressions: [{key: app, operator: In, values: [shop, pg]}]}",
    "podSelector: {matchExpressions: [{key: app, operator: In, values: []}]}",
    "podSelector: {matchExpressions: [{key: app, operator: In}]}",
    "podSelector: {matchExpressions: [{key: app, operator: In, values: [null]}]}",
    "podSelector: {matchExpressions: [{key: app, operator: In, values: ['']}]}",
    "podSelector: {matchExpressions: [{key: app, operator: In, values: [-a]}]}",
    "podSelector: {matchExpressions: [{key: app, operator: In, values: shop}]}",
    "podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [shop]}]}",
    "podSelector: {matchExpressions: [{key: app, operator: NotIn, values: []}]}",
    "podSelector: {matchExpressions: [{key: app, operator: NotIn, values: ['']}]}",
    "podSelector: {matchExpressions: [{key: app, operator: Exists}]}",
    "podSelector: {matchExpressions: [{key: app, operator: Exists, values: []}]}",
    "podSelector: {matchExpressions: [{key: app, operator: Exists, values: null}]}",
    "podSelector: {matchExpressions: [{key: app, operator: Exists, values: [shop]}]}",
    "podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}",
    "podSelector: {matchExpressions: [{key: app, operator: exists}]}",
    "podSelector: {matchExpressions: [{key: app, operator: Gt, values: ['1']}]}",
    "podSelector: {matchExpressions: [{key: app, operator: '!', values: []}]}",
    "podSelector: {matchExpressions: [{key: app}]}",
    "podSelector: {matchExpressions: [{operator: Exists}]}",
    "podSelector: {matchExpressions: [{key: -app, operator: Exists}]}",
    "podSelector: {matchLabels: {app: shop}, matchExpressions: [{key: app, operator: In, values: [pg]}]}",
    # fields that nobody knows, twice or in other letters
    "podselector: {}",
    "PodSelector: {}",
    "ingress: [{From: [{podSelector: {}}]}]",
    "ingress: [{from: [{podSelector: {}}], action: Deny}]",
    "ingress: [{from: [{podSelector: {}, extra: 1}]}]",
    "ingress: [{ports: [{port: 8080, extra: 1}]}]",
    "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, extra: 1}}]}]",
    "priority: 5",
    "ingress: [{}], ingress: []",
    "podSelector: {matchLabels: {app: shop, app: pg}}",
)
"""Specs of a NetworkPolicy in namespace `web`."""

_WHOLE = """
v1 Pod | spec: {CONTAINERS}
v1 Pod | spec: {containers: []}
v1 Pod | spec: {}
v1 Pod | spec: null
v1 Pod |
v1 Pod | spec: {containers: [{CONTAINER, ports: [{containerPort: 80}]}]}
v1 Pod | spec: {containers: [{CONTAINER, ports: [{containerPort: 0}]}]}
v1 Pod | spec: {containers: [{CONTAINER, ports: [{containerPort: 65536}]}]}
v1 Pod | spec: {containers: [{CONTAINER, ports: [{containerPort: '80'}]}]}
v1 Pod | spec: {containers: [{CONTAINER, ports: [{containerPort: 80.0}]}]}
v1 Pod | spec: {containers: [{CONTAINER, ports: [{containerPort: 80, protocol: ICMP}]}]}
v1 Pod | spec: {containers: [{CONTAINER, ports: [{containerPort: 80, protocol: udp}]}]}
v1 Pod | spec: {containers: [{CONTAINER, ports: [{containerPort: 80, protocol: ''}]}]}
v1 Pod | spec: {containers: [{CONTAINER, ports: [{containerPort: 80, hostPort: 70000}]}]}
v1 Pod | spec: {containers: [{CONTAINER, ports: [{containerPort: 80, hostPort: -1}]}]}
v1 Pod | spec: {containers: [{CONTAINER, ports: [{containerPort: 80, hostPort: 0}]}]}
v1 Pod | spec: {containers: [{CONTAINER, ports: [null]}]}
v1 Pod | spec: {containers: [{CONTAINER, ports: [{}]}]}
v1 Pod | spec: {containers: [{CONTAINER, ports: [{name: HTTP, containerPort: 80}]}]}
v1 Pod | spec: {containers: [{CONTAINER, ports: [{name: a, containerPort: 80}, {name: a, containerPort: 81}]}]}
v1 Pod | spec: {hostNetwork: true, containers: [{CONTAINER, ports: [{containerPort: 80}]}]}
v1 Pod | spec: {hostNetwork: true, containers: [{CONTAINER, ports: [{containerPort: 80, hostPort: 81}]}]}
v1 Pod | spec: {hostNetwork: null, CONTAINERS}
v1 Pod | spec: {hostNetwork: yes, CONTAINERS}
v1 Pod | spec: {hostNetwork: 'true', CONTAINERS}
v1 Pod | spec: {containers: [null]}
v1 Pod | spec: {containers: {}}
v1 Pod labels={app: shop} | spec: {CONTAINERS}
v1 Pod labels={app: ''} | spec: {CONTAINERS}
v1 Pod labels={app: null} | spec: {CONTAINERS}
v1 Pod labels={app: yes} | spec: {CONTAINERS}
v1 Pod labels={app: 5} | spec: {CONTAINERS}
v1 Pod labels={app: -a} | spec: {CONTAINERS}
v1 Pod labels={a b: c} | spec: {CONTAINERS}
v1 Pod labels=[] | spec: {CONTAINERS}
v1 Pod labels=null | spec: {CONTAINERS}
v1 Service | spec: {ports: [{port: 80}]}
v1 Service | spec: {ports: []}
v1 Service | spec: {}
v1 Service |
v1 Service | spec: {selector: null, ports: [{port: 80}]}
v1 Service | spec: {selector: {}, ports: [{port: 80}]}
v1 Service | spec: {selector: {app: -a}, ports: [{port: 80}]}
v1 Service | spec: {selector: {app: 5}, ports: [{port: 80}]}
v1 Service | spec: {selector: {app: shop}, ports: [{port: 0}]}
v1 Service | spec: {selector: {app: shop}, ports: [{port: 65536}]}
v1 Service | spec: {selector: {app: shop}, ports: [{port: 80, targetPort: http}]}
v1 Service | spec: {selector: {app: shop}, ports: [{port: 80, targetPort: '80'}]}
v1 Service | spec: {selector: {app: shop}, ports: [{port: 80, targetPort: 0}]}
v1 Service | spec: {selector: {app: shop}, ports: [{port: 80, targetPort: 65536}]}
v1 Service | spec: {selector: {app: shop}, ports: [{port: 80, targetPort: HTTP}]}
v1 Service | spec: {selector: {app: shop}, ports: [{port: 80, protocol: ICMP}]}
v1 Service | spec: {selector: {app: shop}, ports: [{port: 80}, {port: 81}]}
v1 Service | spec: {selector: {app: shop}, ports: [{name: a, port: 80}, {name: a, port: 81}]}
v1 Service | spec: {type: NodePort, selector: {app: shop}, ports: [{port: 80, nodePort: 30080}]}
v1 Service | spec: {type: NodePort, selector: {app: shop}, ports: [{port: 80, nodePort: 70000}]}
v1 Service | spec: {type: NodePort, selector: {app: shop}, ports: [{port: 80, nodePort: 80}]}
v1 Service | spec: {type: Nodeport, selector: {app: shop}, ports: [{port: 80}]}
v1 Service | spec: {type: ExternalName, externalName: example.com}
v1 Service | spec: {clusterIP: None, selector: {app: shop}}
v1 Service | spec: {clusterIP: '', selector: {app: shop}, ports: [{port: 80}]}
v1 Service name=UPPER | spec: {ports: [{port: 80}]}
v1 Service name=a.b | spec: {ports: [{port: 80}]}
v1 Service name=1a | spec: {ports: [{port: 80}]}
v1 Pod name=a.b | spec: {CONTAINERS}
v1 Pod name=a_b | spec: {CONTAINERS}
v1 Pod name=-a | spec: {CONTAINERS}
v1 Pod name='' | spec: {CONTAINERS}
v1 Pod name=5 | spec: {CONTAINERS}
v1 Pod name='5' | spec: {CONTAINERS}
v2 Pod | spec: {CONTAINERS}
v1 pod | spec: {CONTAINERS}
v1 Pods | spec: {CONTAINERS}
apps/v1 Pod | spec: {CONTAINERS}
networking/v1 NetworkPolicy | spec: {podSelector: {}}
extensions/v1beta1 NetworkPolicy | spec: {podSelector: {}}
networking.k8s.io/v1beta1 NetworkPolicy | spec: {podSelector: {}}
networking.k8s.io/v1 NetworkPolicy name=A | spec: {podSelector: {}}
networking.k8s.io/v1 NetworkPolicy |
networking.k8s.io/v1 NetworkPolicy | spec: null
networking.k8s.io/v1 NetworkPolicy | spec: []
networking.k8s.io/v1 NetworkPolicy | Spec: {podSelector: {}}
networking.k8s.io/v1 NetworkPolicy | spec: {podSelector: {}}, status: {}
networking.k8s.io/v1 NetworkPolicy labels={a: -b} | spec: {podSelector: {}}
apps/v1 Deployment | spec: {SELECTOR, TEMPLATE}
apps/v1 Deployment | spec: {selector: {matchLabels: {a: c}}, TEMPLATE}
apps/v1 Deployment | spec: {selector: {}, TEMPLATE}
apps/v1 Deployment | spec: {TEMPLATE}
apps/v1 Deployment | spec: {replicas: -1, SELECTOR, TEMPLATE}
apps/v1 Deployment | spec: {replicas: 0, SELECTOR, TEMPLATE}
apps/v1 Deployment | spec: {replicas: '2', SELECTOR, TEMPLATE}
apps/v1beta1 Deployment | spec: {SELECTOR, TEMPLATE}
apps/v1 Deployment | spec: {SELECTOR, template: {metadata: {labels: {a: -b}}, spec: {CONTAINERS}}}
apps/v1 Deployment | spec: {SELECTOR, template: {LABELS, spec: {containers: [{CONTAINER, ports: [{HIGH}]}]}}}
batch/v1 Job | spec: {template: {spec: {NEVER, CONTAINERS}}}
batch/v1 CronJob | spec: {schedule: '1 1 * * *', jobTemplate: {spec: {template: {spec: {NEVER, CONTAINERS}}}}}
"""
"""API version, kind, metadata, and after `|` the other fields, of objects in namespace `web`."""

_WORDS = {
    "TEMPLATE": "template: {LABELS, spec: {CONTAINERS}}",
    "LABELS": "metadata: {labels: {a: b}}",
    "CONTAINERS": "containers: [{CONTAINER}]",
    "CONTAINER": "name: c, image: i",
    "SELECTOR": "selector: {matchLabels: {a: b}}",
    "NEVER": "restartPolicy: Never",
    "HIGH": "containerPort: 99999",
}
"""What stands for more in these lines, in the order in which it is put in."""


def manifests() -> Iterator[tuple[str, str]]:
    """What is odd, and the YAML of the object."""
    for spec in POLICIES:
        yield f"policy {spec}", _POLICY.format(spec)
    for line in _WHOLE.strip().splitlines():
        yield line, _whole(line)


def _whole(line: str) -> str:
    head, _, rest = line.partition(" |")
    version, kind, *metadata = head.split(" ", 2)
    fields = {"name": "odd", "labels": "{}"} | dict(m.split("=", 1) for m in metadata)
    parts = rest.strip().replace("}, status:", "}\nstatus:")
    for word, text in _WORDS.items():
        parts = parts.replace(word, text)
    where = ", ".join(f"{name}: {value}" for name, value in fields.items())
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{namespace: web, {where}}}\n{parts}\n"
