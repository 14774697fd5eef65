"""Which of the versions that are there are served: model_version_policy of a models.config.

Source: tensorflow_serving/sources/storage_path/file_system_storage_path_source.cc.
"""


def wanted(policy, present):
    """Numbers, a set, of the numbers that are there; policy: ServableVersionPolicy, or None for the newest alone."""
    kind = policy.WhichOneof("policy_choice") if policy is not None else None
    if kind == "all":
        return set(present)
    if kind == "specific":
        return set(policy.specific.versions) & set(present)
    most = max(policy.latest.num_versions, 1) if kind == "latest" else 1
    return set(sorted(present)[-most:])
