//! A certificate for `localhost`, for development: nobody has signed it, so clients warn.

use std::sync::Arc;

use boring::asn1::Asn1Time;
use boring::bn::{BigNum, MsbOption};
use boring::ec::{EcGroup, EcKey};
use boring::error::ErrorStack;
use boring::hash::MessageDigest;
use boring::nid::Nid;
use boring::pkey::PKey;
use boring::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
};
use boring::x509::{X509, X509NameBuilder};

use super::certificates::{CertificateSource, Pem, RejectReason, TlsError, detail};

/// How long it is valid: longer than a server of a developer runs, and no longer than the 90 days to
/// which browsers are used.
const DAYS: u32 = 90;

/// A new certificate for `localhost`, 127.0.0.1 and ::1, and its key.
pub fn localhost() -> Result<CertificateSource, TlsError> {
    let pem = make().map_err(|error| {
        TlsError::new("the development certificate", None, RejectReason::Refused(detail(&error)))
    })?;
    Ok(CertificateSource::Memory(Arc::new(pem)))
}

fn make() -> Result<Pem, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("O", "Ferrite development")?;
    name.append_entry_by_text("CN", "localhost")?;
    let name = name.build();
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;

    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let serial = serial.to_asn1_integer()?;
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(&key)?;
    let (from, to) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(DAYS)?);
    builder.set_not_before(&from)?;
    builder.set_not_after(&to)?;
    builder.append_extension(BasicConstraints::new().critical().build()?.as_ref())?;
    let usage = KeyUsage::new().critical().digital_signature().build()?;
    builder.append_extension(usage.as_ref())?;
    builder.append_extension(ExtendedKeyUsage::new().server_auth().build()?.as_ref())?;
    let names = SubjectAlternativeName::new()
        .dns("localhost")
        .ip("127.0.0.1")
        .ip("::1")
        .build(&builder.x509v3_context(None, None))?;
    builder.append_extension(names.as_ref())?;
    builder.sign(&key, MessageDigest::sha256())?;
    let certificate = builder.build().to_pem()?;
    Ok(Pem { certificate, key: key.private_key_to_pem_pkcs8()? })
}
