# The check that composer finds and installs the packages. script/checks/packages sources it.

# All packages, by composer and the lines of their READMEs, with empty packages for what they require: there is no network.
check_composer() {
    local folder=$place/composed
    if ! have composer; then
        say "${yellow}SKIPPED: composer is missing (script/setup installs it)${plain}"
        return
    fi
    mkdir "$folder"
    php -n -r '
        $empty = fn (string $name, string $version): array => ["type" => "package",
            "package" => ["name" => $name, "version" => $version, "type" => "metapackage"]];
        $required = ["psr/http-message" => "2.0", "psr/http-factory" => "1.1", "psr/http-server-handler" => "1.0", "laravel/octane" => "2.3",
            "symfony/http-foundation" => "7.0", "symfony/http-kernel" => "7.0", "symfony/runtime" => "7.0"];
        $repositories = array_map($empty, array_keys($required), $required);
        $repositories[] = ["type" => "path", "url" => "$argv[1]/packages/*"];
        $repositories[] = ["packagist.org" => false];
        echo json_encode(["repositories" => $repositories, "require" => new stdClass()]);' -- "$root" >"$folder/composer.json"
    check "composer: all packages are found and installed" compose "$folder" \
        require ferrite/psr ferrite/symfony-runtime ferrite/octane --ignore-platform-req=ext-ferrite
    # Those that extend or use nothing of what is empty here.
    check "composer: what they share is loaded" php -n -r '
        require "$argv[1]/vendor/autoload.php";
        foreach (["Bridge\\ServerVariables", "Bridge\\Emitter", "Bridge\\ServerContent", "Psr\\RequestFactory", "SymfonyRuntime\\Capture", "Octane\\CacheTable"] as $name) {
            class_exists("Ferrite\\$name") || trait_exists("Ferrite\\$name") || exit(1);
        }' -- "$folder"
}
compose() { # FOLDER ARGUMENT ...
    COMPOSER_ALLOW_SUPERUSER=1 COMPOSER_HOME=$place/composer timeout 120 composer --working-dir="$1" --no-interaction --quiet "${@:2}"
}
