"""`yett.jwt`: which keys are taken, in which forms, and which are refused."""

import datetime
import json
import subprocess
import sys
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from yett import jwt
from yett._yett import Key
from yett.jwt.algorithms import (
    ECAlgorithm,
    HMACAlgorithm,
    OKPAlgorithm,
    RSAAlgorithm,
    RSAPSSAlgorithm,
    get_default_algorithms,
)

ENCODING = serialization.Encoding
NO_PASSWORD = serialization.NoEncryption()
PKCS8 = serialization.PrivateFormat.PKCS8
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo

RSA = rsa.generate_private_key(65537, 2048)
P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
P521 = ec.generate_private_key(ec.SECP521R1())
K256 = ec.generate_private_key(ec.SECP256K1())
ED25519 = ed25519.Ed25519PrivateKey.generate()

PAIRS = [
    ("RS256", RSA),
    ("RS384", RSA),
    ("RS512", RSA),
    ("PS256", RSA),
    ("PS384", RSA),
    ("PS512", RSA),
    ("ES256", P256),
    ("ES384", P384),
    ("ES512", P521),
    ("ES256K", K256),
    ("EdDSA", ED25519),
]


def private_pem(key, form=PKCS8):
    return key.private_bytes(ENCODING.PEM, form, NO_PASSWORD)


def public_pem(key):
    return key.public_key().public_bytes(ENCODING.PEM, SPKI)


def certificate(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now.replace(year=2027))
    return made.sign(key, hashes.SHA256()).public_bytes(ENCODING.PEM)


@pytest.mark.parametrize(("algorithm", "key"), PAIRS)
def test_keys_of_all_forms_are_taken(algorithm, key):
    prepare = get_default_algorithms()[algorithm].prepare_key
    signers = [
        key,
        private_pem(key),
        private_pem(key).decode(),
        prepare(key),
        prepare(private_pem(key)),
        jwt.PyJWK(json.loads(prepare(key).danger_to_jwk())),
    ]
    verifiers = [
        *signers,
        key.public_key(),
        public_pem(key),
        public_pem(key).decode(),
        prepare(public_pem(key)),
        prepare(key).public_key(),
        jwt.PyJWK(json.loads(prepare(key).to_jwk())),
    ]
    for signer in signers:
        token = jwt.encode({"sub": "1"}, signer, algorithm=algorithm)
        for verifier in verifiers:
            assert jwt.decode(token, verifier, algorithms=[algorithm]) == {"sub": "1"}


def test_the_old_private_forms_and_certificates_are_taken():
    old = serialization.PrivateFormat.TraditionalOpenSSL
    for algorithm, key in (("RS256", RSA), ("ES256", P256)):
        token = jwt.encode({}, private_pem(key, old), algorithm=algorithm)
        assert jwt.decode(token, certificate(key), algorithms=[algorithm]) == {}


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [("RS256", RSA), ("ES256", P256), ("ES384", P384), ("ES512", P521), ("EdDSA", ED25519)],
)
def test_ssh_public_keys_are_taken(algorithm, key):
    form = serialization.PublicFormat.OpenSSH
    line = key.public_key().public_bytes(ENCODING.OpenSSH, form)
    token = jwt.encode({}, key, algorithm=algorithm)
    assert jwt.decode(token, line, algorithms=[algorithm]) == {}
    assert jwt.decode(token, line + b" somebody@somewhere", algorithms=[algorithm]) == {}


@pytest.mark.parametrize(
    "line",
    [
        "ssh-rsa",
        "ssh-rsa AAAA",
        "ssh-rsa ====",
        "ssh-rsa AAAAB3NzaC1yc2E=",
        "ssh-dss AAAAB3NzaC1kc3MAAAABAAAAAAEA",
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAAAA",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA",
    ],
)
def test_broken_ssh_keys_are_refused(line):
    for algorithm in ("RS256", "ES256", "EdDSA"):
        with pytest.raises(jwt.InvalidKeyError):
            get_default_algorithms()[algorithm].prepare_key(line)


@pytest.mark.parametrize(("algorithm", "key"), PAIRS)
def test_a_key_is_no_shared_secret(algorithm, key):
    token = jwt.encode({}, key, algorithm=algorithm)
    forged = jwt.encode({}, "s" * 32)
    prepared = get_default_algorithms()[algorithm].prepare_key(public_pem(key))
    der = key.public_key().public_bytes(ENCODING.DER, SPKI)
    for confused in (public_pem(key), der, prepared, key.public_key(), prepared.to_jwk()):
        with pytest.raises(jwt.InvalidKeyError):
            jwt.encode({}, confused, algorithm="HS256")
        with pytest.raises(jwt.InvalidKeyError):
            jwt.decode(forged, confused, algorithms=[algorithm, "HS256"])
    assert jwt.decode(token, public_pem(key), algorithms=["HS256", algorithm]) == {}


@pytest.mark.parametrize(("algorithm", "key"), PAIRS)
def test_a_key_of_another_family_is_refused(algorithm, key):
    token = jwt.encode({}, key, algorithm=algorithm)
    for _, other in PAIRS:
        if type(other) is type(key) and getattr(other, "curve", 0) == getattr(key, "curve", 0):
            continue
        for form in (other, public_pem(other), private_pem(other)):
            with pytest.raises(jwt.InvalidKeyError):
                jwt.decode(token, form, algorithms=[algorithm])


def test_what_is_no_key_is_refused():
    token = jwt.encode({}, RSA, algorithm="RS256")
    for nothing in ("", b"", "text", "-----BEGIN PUBLIC KEY-----"):
        with pytest.raises(jwt.InvalidKeyError):
            jwt.decode(token, nothing, algorithms=["RS256"])
    for nothing in (None, 5, object(), ["a"], bytearray(b"secret" * 8)):
        with pytest.raises(TypeError):
            jwt.decode(token, nothing, algorithms=["RS256"])
        with pytest.raises(TypeError):
            jwt.encode({}, nothing, algorithm="HS256")


def test_small_rsa_keys_are_refused_whatever_the_options():
    small = rsa.generate_private_key(65537, 1024)
    lax = jwt.PyJWT({"enforce_minimum_key_length": False})
    for form in (small, private_pem(small)):
        with pytest.raises(jwt.InvalidKeyError, match="1024"):
            lax.encode({}, form, algorithm="RS256")


def test_a_certificate_object_is_no_key():
    with pytest.raises(jwt.InvalidKeyError):
        jwt.encode({}, x509.load_pem_x509_certificate(certificate(RSA)), algorithm="RS256")


def test_ed448_is_refused():
    with pytest.raises(jwt.InvalidKeyError):
        jwt.encode({}, ed448.Ed448PrivateKey.generate(), algorithm="EdDSA")


def test_an_encrypted_key_is_refused():
    password = serialization.BestAvailableEncryption(b"password")
    pem = RSA.private_bytes(ENCODING.PEM, PKCS8, password)
    with pytest.raises(jwt.InvalidKeyError):
        jwt.encode({}, pem, algorithm="RS256")


def test_a_public_key_does_not_sign():
    for form in (RSA.public_key(), public_pem(RSA)):
        with pytest.raises(jwt.InvalidKeyError, match="private"):
            jwt.encode({}, form, algorithm="RS256")


def test_an_rsa_key_goes_with_its_whole_family_unless_its_jwk_says_otherwise():
    free = RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(private_pem(RSA))
    token = jwt.encode({}, free, algorithm="PS384")
    assert jwt.decode(token, free, algorithms=["RS256", "PS384"]) == {}
    assert RSAPSSAlgorithm(RSAPSSAlgorithm.SHA384).prepare_key(free).algorithm == "PS384"

    members = json.loads(free.danger_to_jwk())
    assert members["alg"] == "RS256"
    pinned = RSAAlgorithm.from_jwk(members)
    with pytest.raises(jwt.InvalidKeyError, match="RS256"):
        jwt.encode({}, pinned, algorithm="PS384")
    with pytest.raises(jwt.InvalidKeyError, match="RS256"):
        jwt.decode(token, pinned, algorithms=["RS256", "PS384"])


def test_a_jwk_carries_its_algorithm():
    key = jwt.PyJWK({"kty": "oct", "k": "A" * 86, "alg": "HS512"})
    token = jwt.encode({}, key)
    assert jwt.get_unverified_header(token)["alg"] == "HS512"
    assert jwt.decode(token, key) == {}
    with pytest.raises(jwt.InvalidAlgorithmError):
        jwt.decode(token, key, algorithms=["HS256"])
    other = jwt.encode({}, key.key, algorithm="HS256")
    with pytest.raises(jwt.InvalidAlgorithmError):
        jwt.decode(other, key)
    with pytest.raises(jwt.InvalidAlgorithmError, match="does not match the key's algorithm"):
        jwt.decode(other, key, algorithms=["HS256", "HS512"])


@pytest.mark.parametrize(
    "change",
    [{"use": "enc"}, {"key_ops": ["encrypt"]}, {"alg": "ES256"}, {"n": "AQAB"}, {"e": "Ag"}],
)
def test_a_jwk_that_says_it_is_not_for_this_is_refused(change):
    members = RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True)
    assert jwt.PyJWK(members)
    with pytest.raises(jwt.InvalidKeyError):
        jwt.PyJWK({**members, **change})


def test_an_unknown_algorithm_of_a_jwk_is_an_error():
    members = RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True)
    for name in ("none", "RS1", "RSA-OAEP", 5):
        with pytest.raises(jwt.PyJWKError):
            jwt.PyJWK({**members, "alg": name})


def test_a_jwk_of_a_short_secret_is_refused_when_it_is_used():
    key = jwt.PyJWK({"kty": "oct", "k": "c2VjcmV0"})
    with pytest.raises(jwt.InvalidKeyError, match="below"):
        jwt.encode({}, key)
    lax = jwt.PyJWT({"enforce_minimum_key_length": False})
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        assert lax.encode({}, key)


def test_round_trips_through_jwk():
    for algorithm, key in (
        (RSAAlgorithm(RSAAlgorithm.SHA256), RSA),
        (ECAlgorithm(ECAlgorithm.SHA256), P256),
        (ECAlgorithm(ECAlgorithm.SHA512), P521),
        (OKPAlgorithm(), ED25519),
    ):
        for form in (key, key.public_key()):
            made = algorithm.prepare_key(form)
            assert algorithm.from_jwk(algorithm.to_jwk(made)) == made
            assert algorithm.from_jwk(algorithm.to_jwk(form, as_dict=True)) == made
            assert made.is_private is (form is key)
    assert HMACAlgorithm.from_jwk(HMACAlgorithm.to_jwk("secret" * 6)) == b"secret" * 6


def test_a_key_prints_nothing_of_itself():
    made = RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(private_pem(RSA))
    assert repr(made) == "<Key RS256 private>"
    assert repr(made.public_key()) == "<Key RS256 public>"
    assert repr(Key.hmac("HS256", b"secret" * 6)) == "<Key HS256 secret>"
    assert "secret" not in repr(jwt.PyJWK({"kty": "oct", "k": "c2VjcmV0", "kid": "1"}))


def test_equal_are_the_same_public_keys_and_no_secrets():
    one = Key.from_pem("RS256", public_pem(RSA))
    two = Key.from_pem("RS256", public_pem(RSA))
    assert one == two and hash(one) == hash(two) and len({one, two}) == 1
    assert one != Key.from_pem("RS384", public_pem(RSA))
    assert one != Key.from_pem("RS256", private_pem(RSA))
    assert one != "key"
    secret = Key.hmac("HS256", b"secret" * 6)
    assert secret == secret
    assert secret != Key.hmac("HS256", b"secret" * 6)


def test_a_secret_has_no_public_form():
    secret = Key.hmac("HS256", b"secret" * 6)
    for form in (secret.to_jwk, secret.to_pem, secret.public_key, secret.thumbprint):
        with pytest.raises(jwt.InvalidKeyError):
            form()


def test_thumbprint_of_rfc_8037():
    key = Key.from_jwk(
        b'{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'
    )
    assert key.algorithm in ("EdDSA", "Ed25519")
    assert key.thumbprint() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_texts_are_told_apart_by_content_and_algorithm():
    secrets = [f"a secret of more than thirty-two bytes, number {n}" for n in range(100)]
    tokens = [jwt.encode({"n": n}, secret) for n, secret in enumerate(secrets)]
    for n, token in enumerate(tokens):
        # Equal text in another object, as when it is read from a file at every call.
        again = "".join(list(secrets[n]))
        assert again is not secrets[n]
        assert jwt.decode(token, again, algorithms=["HS256"]) == {"n": n}
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token, secrets[n - 1], algorithms=["HS256"])
        with pytest.raises(jwt.InvalidAlgorithmError):
            jwt.decode(token, again, algorithms=["HS384"])


def test_a_freed_key_is_not_mistaken_for_a_new_one():
    """An object at the address of a freed one is another object."""
    for n in range(200):
        key = ec.generate_private_key(ec.SECP256R1())
        token = jwt.encode({"n": n}, key, algorithm="ES256")
        assert jwt.decode(token, key.public_key(), algorithms=["ES256"]) == {"n": n}
        del key


def test_cryptography_is_not_needed():
    program = """
import sys
sys.modules["cryptography"] = None
from yett import jwt
private, public = sys.stdin.read().split("|")
token = jwt.encode({"sub": "1"}, private, algorithm="ES256")
assert jwt.decode(token, public, algorithms=["ES256"]) == {"sub": "1"}
assert not [name for name in sys.modules if name.startswith("cryptography.")]
"""
    keys = private_pem(P256) + b"|" + public_pem(P256)
    subprocess.run([sys.executable, "-c", program], input=keys, check=True, timeout=60)


def test_threads_share_keys():
    keys = {name: (private_pem(key), public_pem(key)) for name, key in PAIRS}
    secrets = [f"a secret of more than thirty-two bytes, number {n}" for n in range(60)]
    wrong = []

    def work(seed):
        for n in range(60):
            name = list(keys)[(seed + n) % len(keys)]
            private, public = keys[name]
            token = jwt.encode({"n": n}, private, algorithm=name)
            if jwt.decode(token, public, algorithms=[name]) != {"n": n}:
                wrong.append(name)
            try:
                jwt.decode(token[:-8] + "AAAAAAAA", public, algorithms=[name])
                wrong.append(f"{name}: a wrong signature")
            except jwt.InvalidSignatureError:
                pass
            secret = secrets[(7 * seed + n) % len(secrets)]
            token = jwt.encode({"s": secret}, secret)
            if jwt.decode(token, secret, algorithms=["HS256"]) != {"s": secret}:
                wrong.append("HS256")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_others_run_while_an_rsa_key_signs():
    """Without the interpreter's lock: a signer of a large key does not hold up other threads."""
    large = RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(rsa.generate_private_key(65537, 4096))
    stop = threading.Event()
    signed = []

    def sign():
        while not stop.is_set():
            signed.append(large.sign(b"message"))

    thread = threading.Thread(target=sign)
    thread.start()
    # Each round waits for the other thread's next signature: it ends only if both get on.
    for count in range(1, 6):
        while len(signed) < count:
            jwt.decode(jwt.encode({}, "s" * 32), "s" * 32, algorithms=["HS256"])
    stop.set()
    thread.join()
    assert all(large.verify(b"message", signature) for signature in signed)


SECRET_JWK = {"kty": "oct", "k": "A" * 43}


@pytest.mark.parametrize("read", [jwt.PyJWK.from_json, jwt.PyJWKSet.from_json])
@pytest.mark.parametrize(
    "text",
    ["", "[]", "5", "no json", "[" * 100_000, '{"a":' * 100_000, "\ud800", b"\xff", '{"a": NaN}'],
)
def test_text_that_is_no_json_object_is_a_value_error(read, text):
    with pytest.raises(ValueError, match="The JSON is refused"):
        read(text)


def test_names_that_occur_twice_are_refused():
    one = json.dumps(SECRET_JWK)
    twice = one[:-1] + ', "k": "' + "B" * 43 + '"}'
    with pytest.raises(ValueError, match="twice"):
        jwt.PyJWK.from_json(twice)
    for text in (f'{{"keys": [{twice}]}}', f'{{"keys": [{one}], "keys": []}}'):
        with pytest.raises(ValueError, match="twice"):
            jwt.PyJWKSet.from_json(text)


@pytest.mark.parametrize("value", [None, [], "kty", 5])
def test_what_is_no_dictionary_is_no_key_and_no_set(value):
    with pytest.raises(jwt.InvalidKeyError):
        jwt.PyJWK(value)
    with pytest.raises(jwt.PyJWKSetError):
        jwt.PyJWKSet.from_dict(value)


def test_a_set_has_a_bounded_number_of_members():
    assert len(jwt.PyJWKSet([SECRET_JWK] * 128).keys) == 128
    with pytest.raises(jwt.PyJWKSetError, match="129"):
        jwt.PyJWKSet([{}] * 128 + [SECRET_JWK])
