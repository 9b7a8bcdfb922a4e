<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/** What is in a directory, and how it is served. */
final class Project
{
    /** Directories of a project that hold what the web may see, with the front script. */
    private const PUBLIC_FOLDERS = ['public', 'web', 'webroot', 'public_html', 'htdocs', 'html', 'www'];
    /** Names that a server script has, when it lies in the directory of its project. */
    private const SERVER_SCRIPTS = ['ferrite.php', 'server.php'];
    /** Directories that are looked through for a file. */
    private const FOLDERS_LOOKED_THROUGH_MAX = 5000;

    /**
     * @param string $found what it is, in words
     * @param string $root the document root, or the directory of the server script
     * @param string|null $script the front script, or the server script; null: files are all there is
     * @param array<string, mixed> $settings further options of the server
     * @param bool $hasSwooleNames whether it is a server script that names the server as Swoole does
     */
    private function __construct(
        public readonly string $found,
        public readonly string $root,
        public readonly ?string $script,
        public readonly array $settings = [],
        public readonly bool $isServerScript = false,
        public readonly bool $hasSwooleNames = false,
    ) {
    }

    /** @throws Failure when there is nothing to serve */
    public static function find(string $path): self
    {
        $real = realpath($path);
        if ($real === false) {
            throw new Failure("There is no '$path'.");
        }
        if (!is_readable($real)) {
            throw new Failure("'$path' may not be read by this user: change its owner or its mode.");
        }
        if (is_file($real)) {
            return self::ofFile($real);
        }
        return self::serverScript($real)
            ?? self::application($real)
            ?? self::publicFolder($real)
            ?? self::plain($real)
            ?? self::files($real)
            ?? throw new Failure("There is nothing to serve in $real. Looked for: a server script ("
                . implode(', ', self::SERVER_SCRIPTS) . '), public/index.php, index.php, files.');
    }

    private static function ofFile(string $file): self
    {
        if (!str_ends_with($file, '.php')) {
            throw new Failure("'$file' is no PHP file: name a directory to have its files served.");
        }
        return self::serverScriptFile($file) ?? new self('a PHP file', dirname($file), basename($file));
    }

    private static function serverScript(string $directory): ?self
    {
        foreach (self::SERVER_SCRIPTS as $name) {
            $script = is_file("$directory/$name") ? self::serverScriptFile("$directory/$name") : null;
            if ($script !== null) {
                return $script;
            }
        }
        return null;
    }

    /** A PHP file that starts a server itself: whose code, not a comment, names the class, by Ferrite's name or by Swoole's. */
    private static function serverScriptFile(string $file): ?self
    {
        $names = [T_NAME_QUALIFIED, T_NAME_FULLY_QUALIFIED, T_STRING];
        $before = '';
        $found = [];
        foreach (token_get_all((string) file_get_contents($file)) as $token) {
            if (!is_array($token) || in_array($token[0], $names, true)) {
                $text = strtolower(ltrim(is_array($token) ? $token[1] : $token, '\\'));
                // `Ferrite\Http\Server`, and `use Ferrite\Http\{Request, Server}`.
                if (preg_match('/^(ferrite|swoole)\\\\http(\\\\server)?$/', $text, $match) === 1 && (isset($match[2]) || $before !== 'namespace')) {
                    $found[$match[1]] = true;
                }
                $before = $text;
            } elseif ($token[0] === T_NAMESPACE) {
                $before = 'namespace';
            }
        }
        if ($found === []) {
            return null;
        }
        $what = isset($found['ferrite']) ? 'a server script' : "a server script with Swoole's names";
        return new self($what, dirname($file), basename($file), isServerScript: true, hasSwooleNames: isset($found['swoole']));
    }

    private static function application(string $directory): ?self
    {
        if (is_file("$directory/artisan") && is_file("$directory/public/index.php")) {
            $version = self::constant("$directory/vendor/laravel/framework/src/Illuminate/Foundation/Application.php", 'VERSION');
            return new self(trim("a Laravel application $version"), "$directory/public", 'index.php', [
                'php_deny' => ['/storage'],
                // `artisan storage:link` makes a link out of the document root.
                'static_symlinks' => self::linksLeadOut("$directory/public", 1) ? 'any' : 'inside',
            ]);
        }
        if (is_file("$directory/public/index.php") && ($how = self::symfony($directory)) !== null) {
            return new self("a Symfony application ($how)", "$directory/public", 'index.php');
        }
        if (is_file("$directory/wp-load.php") && is_file("$directory/index.php")) {
            $version = preg_match('/\$wp_version\s*=\s*[\'"]([^\'"]+)/', self::start("$directory/wp-includes/version.php"), $match)
                ? $match[1] : '';
            return new self(trim("WordPress $version"), $directory, 'index.php', [
                'php_deny' => ['/wp-content/uploads'],
                // Distributions put themes, languages and scripts elsewhere, and links in their place.
                'static_symlinks' => self::linksLeadOut($directory, 4) ? 'any' : 'inside',
            ]);
        }
        if (is_file("$directory/doku.php") && is_dir("$directory/lib")) {
            // Pages and users lie below the document root; of its files the web needs those in lib/ alone.
            return new self('DokuWiki', $directory, 'doku.php', [
                'static_handler_locations' => ['/lib/'],
                'http_index_files' => ['index.php', 'doku.php'],
                'php_deny' => ['/data', '/conf', '/inc', '/bin', '/vendor'],
                'static_symlinks' => self::linksLeadOut("$directory/lib", 3) ? 'any' : 'inside',
            ]);
        }
        return null;
    }

    /** By what a directory is known to be a project of Symfony's; null when it is none. */
    private static function symfony(string $directory): ?string
    {
        if (is_file("$directory/vendor/autoload_runtime.php")) {
            return 'symfony/runtime';
        }
        $composer = json_decode(self::start("$directory/composer.json"), true);
        foreach (['symfony/runtime', 'symfony/framework-bundle'] as $package) {
            if (isset($composer['require'][$package])) {
                return $package;
            }
        }
        return is_file("$directory/bin/console") && is_file("$directory/config/bundles.php") ? 'config/bundles.php' : null;
    }

    private static function publicFolder(string $directory): ?self
    {
        foreach (self::PUBLIC_FOLDERS as $folder) {
            if (is_file("$directory/$folder/index.php")) {
                return new self("a PHP application ($folder/index.php)", "$directory/$folder", 'index.php');
            }
        }
        return null;
    }

    private static function plain(string $directory): ?self
    {
        if (is_file("$directory/index.php")) {
            return new self('a PHP application (index.php)', $directory, 'index.php');
        }
        $files = glob(addcslashes($directory, '\\*?[{') . '/*.php') ?: [];
        if (count($files) === 1) {
            return self::ofFile($files[0]);
        }
        if ($files !== []) {
            throw new Failure("There is no index.php in $directory, but other PHP files. Name the one that answers for every path"
                . " that is no file: ferrite serve $directory/" . basename($files[0]));
        }
        return null;
    }

    private static function files(string $directory): ?self
    {
        foreach (self::PUBLIC_FOLDERS as $folder) {
            if (is_file("$directory/$folder/index.html")) {
                $directory = "$directory/$folder";
                break;
            }
        }
        if (!self::hasFile($directory)) {
            return null;
        }
        return new self('a folder of files', $directory, null, [
            'enable_static_handler' => true,
            'http_index_files' => ['index.html'],
            'http_autoindex' => !is_file("$directory/index.html"),
        ]);
    }

    /** Whether there is a file below a directory. Hidden ones do not count: they are not served. */
    private static function hasFile(string $directory): bool
    {
        $folders = [$directory];
        for ($at = 0; $at < count($folders); $at++) {
            if ($at > self::FOLDERS_LOOKED_THROUGH_MAX) {
                throw new Failure("There are too many directories in $directory to look through: name one of them.");
            }
            foreach (@scandir($folders[$at]) ?: [] as $name) {
                $path = "$folders[$at]/$name";
                if ($name[0] !== '.' && is_file($path)) {
                    return true;
                }
                if ($name[0] !== '.' && is_dir($path) && !is_link($path)) {
                    $folders[] = $path;
                }
            }
        }
        return false;
    }

    /** Whether a symbolic link so many levels below a directory leads out of it. */
    private static function linksLeadOut(string $directory, int $levels, ?string $root = null): bool
    {
        $root ??= $directory;
        foreach (@scandir($directory) ?: [] as $name) {
            $path = "$directory/$name";
            if ($name[0] === '.') {
                continue;
            }
            if (is_link($path)) {
                $target = realpath($path);
                if ($target !== false && !str_starts_with("$target/", "$root/")) {
                    return true;
                }
            } elseif ($levels > 1 && is_dir($path) && self::linksLeadOut($path, $levels - 1, $root)) {
                return true;
            }
        }
        return false;
    }

    private static function constant(string $file, string $name): string
    {
        return preg_match("/const $name = '([^']+)'/", self::start($file), $match) === 1 ? $match[1] : '';
    }

    private static function start(string $file): string
    {
        return is_file($file) ? (string) @file_get_contents($file, length: 1 << 20) : '';
    }
}
