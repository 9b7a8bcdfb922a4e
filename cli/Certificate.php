<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/** A self-signed certificate for development: made once, and kept for this user. */
final class Certificate
{
    /** Browsers refuse certificates that are good for longer than 398 days. */
    private const DAYS = 397;
    private const RENEWED_BEFORE_DAYS = 7;

    private function __construct(public readonly string $certificate, public readonly string $key)
    {
    }

    /** The certificate for localhost and, if it is another one, this host; made if there is none that is good. */
    public static function for(string $host): self
    {
        $folder = self::folder();
        $lock = @fopen("$folder/lock", 'c');
        if ($lock === false || !flock($lock, LOCK_EX)) {
            throw new Failure("$folder/lock cannot be written: change its owner, or set XDG_CACHE_HOME to another directory");
        }
        $names = self::names($host);
        $stem = $names === self::names('localhost') ? 'localhost' : preg_replace('/[^a-z0-9.]+/', '-', strtolower($host));
        $self = new self("$folder/$stem.crt", "$folder/$stem.key");
        $self->isGood($names) || $self->make($names);
        return $self;
    }

    /** The folder that it is kept in; made with mode 0700. */
    private static function folder(): string
    {
        $cache = (string) getenv('XDG_CACHE_HOME');
        if ($cache === '' || $cache[0] !== '/') {
            $home = (string) getenv('HOME');
            if ($home === '' || $home[0] !== '/') {
                throw new Failure('there is no folder to keep one in: set HOME or XDG_CACHE_HOME');
            }
            $cache = "$home/.cache";
        }
        $folder = "$cache/ferrite";
        if (!is_dir($folder) && !@mkdir($folder, 0700, true) && !is_dir($folder)) {
            throw new Failure("$folder cannot be made, where it is kept: set XDG_CACHE_HOME to another directory");
        }
        return $folder;
    }

    /** @return list<string> alternative names, as OpenSSL writes them */
    private static function names(string $host): array
    {
        // No *.localhost: there are clients that refuse a certificate with such a name altogether.
        $names = ['DNS:localhost', 'IP:127.0.0.1', 'IP:::1'];
        $host = strtolower(trim($host, '[]'));
        $name = filter_var($host, FILTER_VALIDATE_IP) ? "IP:$host" : "DNS:$host";
        $everywhere = ['IP:0.0.0.0', 'IP:::'];
        if (!in_array($name, [...$names, ...$everywhere], true) && preg_match('/^(IP|DNS):[a-z0-9.:-]+$/', $name) === 1) {
            $names[] = $name;
        }
        return $names;
    }

    /** @param list<string> $names */
    private function isGood(array $names): bool
    {
        if (!is_readable($this->certificate) || !is_readable($this->key)) {
            return false;
        }
        $certificate = (string) file_get_contents($this->certificate);
        $known = @openssl_x509_parse($certificate);
        // Somebody may have changed its mode since.
        @chmod($this->key, 0600);
        return $known !== false
            && $known['validTo_time_t'] > time() + self::RENEWED_BEFORE_DAYS * 86400
            && $known['validFrom_time_t'] <= time()
            && ($known['extensions']['nsComment'] ?? '') === self::comment($names)
            && openssl_x509_check_private_key($certificate, (string) file_get_contents($this->key));
    }

    /** @param list<string> $names */
    private static function comment(array $names): string
    {
        return 'For development: ' . implode(' ', $names);
    }

    /** @param list<string> $names */
    private function make(array $names): void
    {
        $config = @tempnam(dirname($this->key), 'openssl');
        if ($config === false) {
            throw new Failure(dirname($this->key) . ' cannot be written: change its owner, or set XDG_CACHE_HOME to another directory');
        }
        $before = umask(0077);
        try {
            file_put_contents($config, "[req]\ndistinguished_name = name\n[name]\n[extensions]\n"
                . "basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\n"
                . "extendedKeyUsage = serverAuth\nsubjectKeyIdentifier = hash\n"
                . 'nsComment = "' . self::comment($names) . "\"\n"
                . 'subjectAltName = ' . implode(', ', $names) . "\n");
            $options = [
                'config' => $config,
                'digest_alg' => 'sha256',
                'private_key_type' => OPENSSL_KEYTYPE_EC,
                // Of no meaning for such a key, and yet demanded.
                'private_key_bits' => 2048,
                'curve_name' => 'prime256v1',
                'x509_extensions' => 'extensions',
                'encrypt_key' => false,
            ];
            $key = openssl_pkey_new($options);
            $request = $key === false ? false : openssl_csr_new(['commonName' => 'localhost', 'organizationName' => 'Ferrite, for development'], $key, $options);
            $signed = $request === false ? false : openssl_csr_sign($request, null, $key, self::DAYS, $options, random_int(1, PHP_INT_MAX));
            if ($signed === false || !openssl_x509_export($signed, $certificate) || !openssl_pkey_export($key, $private, null, $options)) {
                throw new Failure('OpenSSL makes no certificate: ' . (openssl_error_string() ?: 'it does not say why'));
            }
            self::write($this->key, $private);
            self::write($this->certificate, $certificate);
        } finally {
            umask($before);
            unlink($config);
        }
    }

    private static function write(string $file, string $content): void
    {
        if (@file_put_contents("$file.new", $content) !== strlen($content) || !chmod("$file.new", 0600) || !rename("$file.new", $file)) {
            throw new Failure("$file cannot be written: is the disk full, or is it another user's file?");
        }
    }
}
