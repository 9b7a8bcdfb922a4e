<?php

return ['required' => 'The :attribute field is required.', 'file' => 'The :attribute must be a file.', 'in' => 'The :attribute is wrong.'];
