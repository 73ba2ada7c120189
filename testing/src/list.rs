//! The list of the tests that every executor has, each once.
//!
//! A test that is missing here is dead code, which the compiler reports.

/// Gives the list to another macro of this crate, behind what it is given.
#[doc(hidden)]
#[macro_export]
macro_rules! tests_of_executors {
    ($then:ident $($given:tt)*) => {
        $crate::$then! {
            ($($given)*)
            session {
                a_run_moves_nothing_and_creates_nothing_after_the_first
                sessions_are_planned_for_their_runtime_unless_limits_are_given
                held_outputs_keep_their_values_and_dropped_ones_are_reused
                threads_share_a_session_and_each_gets_its_own_results
                inputs_are_matched_by_name_and_shape
            }
            operators {
                activation {
                    golden_cases
                    every_activation_of_every_rank
                    kernels_stay_within_their_output_in_folded_grids
                    nan_stays_nan_and_extremes_give_what_the_formula_gives
                    linear_copies_bits
                    an_empty_value_stays_empty
                }
                arithmetic {
                    every_function_in_every_kernel
                    every_function_over_its_range
                    powers_are_exact_to_a_few_units
                    remainders_are_exact_at_every_distance
                    the_edges_are_those_of_numpy
                    a_zero_keeps_the_sign_that_numpy_gives
                    every_function_is_a_stage_on_both_sides
                }
                batch_normalization {
                    golden_cases
                    random_shapes_axes_and_switches
                    kernels_stay_within_their_output_in_folded_grids
                    nan_and_infinity_stay_where_they_are
                }
                binary {
                    golden_cases
                    random_shapes_broadcast_as_in_the_oracle
                    a_batch_meets_one_item
                    kernels_stay_within_their_output_in_folded_grids
                    special_values_follow_ieee
                }
                concat_in_place {
                    every_family_writes_its_own_piece_and_no_other
                    every_kernel_that_is_named_makes_a_piece
                    pieces_are_read_by_others_before_and_behind_the_whole
                }
                conformance {
                    every_case_passes_and_the_table_says_so
                }
                constants {
                    infinity_in_constants_is_kept_under_every_policy
                    nan_in_constants_falls_under_the_policy
                    an_overflow_in_constants_is_refused_or_infinite
                }
                conv1d {
                    golden_cases
                    random_shapes_and_options
                    causal_results_do_not_depend_on_later_steps
                }
                conv2d {
                    golden_cases
                    random_shapes_and_options
                    kernels_stay_within_their_output_in_folded_grids
                    nan_and_infinity_reach_the_windows_that_hold_them_and_no_other
                    an_infinite_weight_over_the_edge_is_left_out
                }
                conv2d_depthwise {
                    golden_cases
                    random_shapes_and_options
                    many_channels
                }
                conv2d_transpose {
                    golden_cases
                    random_shapes_and_options
                    many_channels_of_many_taps
                    kernels_stay_within_their_output_in_folded_grids
                    elements_round_a_workgroup
                    nan_and_infinity_reach_the_pixels_they_are_spread_over_and_no_other
                    an_infinite_weight_meets_only_pixels_inside
                }
                conv2d_transpose_onnx {
                    golden_cases_over_images
                    golden_cases_over_lines
                    random_shapes_and_options
                    random_lines
                    kernels_of_groups_stay_within_their_output_in_folded_grids
                    golden_cases_over_lines_by_keras
                }
                copy {
                    transpositions
                    permute_leaves_the_batch_alone
                    slices
                    flips
                    splits_give_every_part
                    equal_parts_and_a_shorter_last_one
                    expansions
                    tiles_along_more_axes_than_one_node_walks
                    concatenations_of_values_and_constants
                    blocks_of_pixels
                    kernels_stay_within_their_output_in_folded_grids
                    what_lies_outside_of_the_copy_is_left_alone
                    bits_are_kept
                }
                copy_layers {
                    constants_are_operands_and_outputs
                    constants_that_nothing_needs_are_not_uploaded
                    an_empty_constant_joins_nothing
                    views_make_no_step
                    vectors_are_repeated
                    a_chain_of_movements_shares_slots
                }
                cumsum {
                    random_shapes_axes_and_switches
                    kernels_stay_within_their_output_in_folded_grids
                    long_sums_keep_their_accuracy
                    nan_and_infinity_reach_what_is_behind_them
                    an_empty_axis_gives_an_empty_result
                }
                dense {
                    golden_cases
                    golden_cases_of_flatten_and_reshape
                    reshapes_between_layers_keep_the_order
                    random_shapes_and_options
                    long_sums_of_few_rows
                    a_lone_axis_is_a_row
                    kernels_stay_within_their_output_in_folded_grids
                    an_input_without_features_gives_the_bias
                    nan_and_infinity_stay_in_their_row
                }
                dense_parts {
                    parts_of_the_inputs_add_up
                    long_parts_add_up_too
                }
                elementwise_golden {
                    onnx_cases
                }
                epilogue {
                    stages_are_applied_in_order_with_the_extra_operand_at_its_place
                    too_many_stages_and_an_extra_operand_without_elements_are_refused
                }
                gather {
                    any_axis_and_any_rank_of_indices
                    the_batch_is_kept
                    an_empty_axis_gives_nothing
                    kernels_stay_within_their_output_in_folded_grids
                    bits_are_kept
                }
                grid_sample {
                    golden_cases
                    random_lines_images_and_volumes
                    every_rule_counts
                    ties_go_to_the_even_pixel_and_x_comes_first
                    a_place_on_a_pixel_is_that_pixel_whatever_stands_around
                    coordinates_that_are_far_or_no_numbers
                    kernels_stay_within_their_output_in_folded_grids
                    what_is_empty_stays_so
                }
                long_rows {
                    softmax_and_its_kin_over_40_000_elements
                    reductions_of_300_000_terms
                    moments_of_300_000_elements
                    the_longest_row_is_gone_over_to_its_end
                    longer_rows_are_refused
                }
                lrn {
                    golden_cases
                    random_shapes_windows_and_constants
                    kernels_stay_within_their_output_in_folded_grids
                    nan_and_infinity_reach_their_window
                }
                matmul {
                    golden_cases
                    random_shapes
                    a_symbolic_batch_in_front_of_either_operand_or_as_rows
                    random_gemms
                    a_beta_of_0_keeps_infinity_of_c_out
                    operands_without_elements_give_zeros_or_nothing
                    each_item_has_the_addend_anew
                    kernels_stay_within_their_output_in_folded_grids
                    nan_and_infinity_stay_in_their_row
                    products_deeper_and_wider_than_what_is_packed_at_a_time
                }
                moments {
                    random_shapes_and_axes
                    kernels_stay_within_their_output_in_folded_grids
                    a_large_mean_does_not_drown_the_variance
                    equal_elements_have_no_variance
                    nan_and_infinity_stay_in_their_row
                }
                moved_rows {
                    groups_and_instances
                    groups_as_parts_of_a_reshaped_value
                    layers_over_each_axis
                    products_of_turned_values
                }
                movement_golden {
                    center_crop_pad
                    concat
                    blocks_of_pixels
                    repetition
                    gather
                    pad
                    slice
                    split
                    transpose
                    views
                }
                networks {
                    an_autoencoder_of_pytorch
                    a_generator_of_pytorch
                    super_resolution_of_pytorch
                    inverted_residuals_of_pytorch
                    a_unet_of_pytorch_with_bilinear_upsampling
                    a_unet_of_pytorch_with_nearest_upsampling
                    boxes_of_pytorch_by_distributions
                    a_classifier_of_keras_on_tensorflow
                    a_classifier_of_keras_on_pytorch
                    a_unet_of_keras_on_tensorflow
                    a_unet_of_keras_on_pytorch
                    a_network_of_normalized_channels
                    a_unet_of_group_normalizations
                    super_resolution_by_reshapes
                    inverted_residuals_with_normalizations
                    a_residual_network_with_a_bottleneck
                    boxes_of_two_scales_by_anchors
                    every_network_in_the_folder_is_tested
                }
                normalization {
                    keras_layer_normalization
                    keras_group_normalization
                    keras_rms_normalization
                    onnx_layer_normalization_with_its_moments
                    onnx_rms_group_instance_and_mean_variance_normalization
                    random_layers
                    random_groups
                    the_kernel_stays_within_its_output_in_folded_grids
                    nan_and_infinity_stay_in_their_row
                    moments_over_the_batch_serve_every_item
                    an_empty_value_stays_empty
                }
                pad {
                    every_mode_on_random_ranks_and_axes
                    all_six_axes_at_once
                    empty_axes_take_constants
                    keras_layers_of_images
                    the_middle_stays_in_the_middle
                    kernels_stay_within_their_output_in_folded_grids
                    fours_need_an_unpadded_end_in_whole_vectors
                    bits_are_kept
                }
                passes {
                    scales_and_shifts_fold_into_the_layer_before
                    batch_normalization_folds_into_a_convolution_with_channels_first
                    differences_and_quotients_fold_as_well
                    scales_and_shifts_of_channels_first_fold_as_well
                    scales_and_shifts_fold_into_the_layer_behind
                    padding_folds_into_a_convolution
                    padding_folds_into_poolings
                    channels_first_become_channels_last
                    normalizations_and_windows_take_what_follows
                    products_take_what_follows
                }
                pool2d {
                    random_shapes_and_options
                    same_on_images_that_are_not_square_with_dilation
                    a_last_window_that_begins_on_the_padding_is_dropped
                    windows_on_the_padding_alone
                    norms_of_very_large_and_very_small_values
                    lines
                    whole_images_and_lines
                    kernels_stay_within_their_output_in_folded_grids
                    nan_and_infinity_reach_the_windows_that_hold_them_and_no_other
                }
                pool2d_golden {
                    golden_cases
                }
                random_graph {
                    sharing_slots_changes_nothing_and_every_layer_is_right
                    nothing_of_an_earlier_run_is_left
                    every_operator_in_networks_with_and_without_passes
                    networks_have_every_operator_of_the_table
                }
                reduce {
                    golden_reductions
                    golden_positions
                    random_shapes_and_axes
                    kernels_stay_within_their_output_in_folded_grids
                    long_sums_keep_their_accuracy
                    nan_and_infinity_give_what_numpy_gives
                    extremes_propagate_nan_from_anywhere
                    log_sum_exp_of_large_values_does_not_overflow
                    logarithms_of_every_magnitude_are_precise
                    positions_of_nan_come_first
                    nothing_gives_the_identity_and_nothing_left_gives_nothing
                    a_scalar_is_a_row_of_its_own
                }
                resize {
                    golden_cases
                    antialiased_images_of_keras
                    lines_and_volumes_of_keras_are_repeated
                    scales_are_not_rounded_and_every_rule_counts
                    a_rounded_length_is_centred_by_the_symmetric_rule
                    a_single_pixel_of_pytorch_lies_at_0
                    random_axes_and_rules
                    the_batch_and_axes_of_length_0
                    extrapolated_elements_of_both_widths
                }
                resize2d {
                    golden_cases_of_resize2d
                    golden_cases_of_up_sampling2d
                    random_shapes_and_rules
                    up_sampling2d_by_every_interpolation
                    kernels_stay_within_their_output_in_folded_grids
                    nearest_copies_the_bits_of_nan_and_infinity
                    nan_and_infinity_reach_the_pixels_that_use_them_and_no_other
                }
                select {
                    random_shapes_broadcast_as_in_the_oracle
                    a_batch_meets_one_item
                    kernels_stay_within_their_output_in_folded_grids
                    bits_are_copied_and_nan_is_not_zero
                }
                several {
                    sums_means_and_extremes_of_three
                    slopes_are_shared_along_axes
                }
                softmax {
                    onnx_and_keras_cases
                    golden_cases
                    random_shapes_and_axes
                    large_values_do_not_overflow
                    kernels_stay_within_their_output_in_folded_grids
                    nan_and_infinity_stay_in_their_row
                    minus_infinity_takes_no_part
                    an_empty_axis_gives_an_empty_result
                    nan_and_infinity_in_every_function_and_entry
                }
                top_k {
                    random_shapes_axes_and_counts
                    kernels_stay_within_their_output_in_folded_grids
                    nan_is_the_largest_and_zeros_are_equal
                    the_smallest_numbers_are_told_apart
                    of_equal_elements_the_lower_index_comes_first
                }
                unary {
                    every_function_over_its_range
                    the_edges_are_those_of_numpy
                    subnormal_numbers_have_logarithms_and_are_not_zero
                    rare_functions_stand_anywhere_in_an_epilogue
                    a_layer_applies_a_long_function
                }
                whole_numbers {
                    imported_networks_give_the_numbers_of_their_types
                }
            }
        }
    };
}
